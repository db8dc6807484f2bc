"""One file a schema; its revision is the schema as four digits."""
