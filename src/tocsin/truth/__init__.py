"""What happens: the flights, drawn from their classes. Processing never sees this room."""
