"""Graph's wire rules, which several stand-ins speak: parameters, fields, errors, paging, batches."""
