"""One folder per noun of the product."""
