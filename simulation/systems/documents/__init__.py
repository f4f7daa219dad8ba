"""Tables as documents: the forms in which departments hand over what they have. Same table, same bytes."""
