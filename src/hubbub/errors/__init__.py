"""The catalogue: every refusal Hubbub can answer with, one class each.

Importing this package registers them all.
"""

from hubbub.errors import (
    account,
    auth,
    billing,
    byok,
    peculiarities,
    platform,
    publishing,
    resource,
    system,
    validation,
    whatsapp,
)
from hubbub.errors.refusal import (
    Action,
    Category,
    Refusal,
    Refused,
    category_of,
    class_of,
    rebuild,
    registry,
    retired,
)

__all__ = [
    "Action",
    "Category",
    "Refusal",
    "Refused",
    "account",
    "auth",
    "billing",
    "byok",
    "category_of",
    "class_of",
    "peculiarities",
    "platform",
    "publishing",
    "rebuild",
    "registry",
    "resource",
    "retired",
    "system",
    "validation",
    "whatsapp",
]
