"""The environmental data warehouse of one city: from departments' systems to gated releases."""
