"""The description of the read interface as an OpenAPI document, made from the declarations of its resources."""
