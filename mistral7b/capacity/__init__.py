"""How much one endpoint serves: the performance model of an instance, TGI's scheduler, and what is built on them."""
