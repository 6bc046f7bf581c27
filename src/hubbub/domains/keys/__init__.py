"""An API key is how a program says who it is: a secret shown once, belonging to one workspace.

It may be restricted to scopes and to brands, and works either on live accounts or in the sandbox only.
"""
