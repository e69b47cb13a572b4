"""What continuous integration runs beside the command itself; each of it with the standard library alone."""
