"""Examples of refused calls, a module for each service: operation, parameters, those refused, those accepted."""
