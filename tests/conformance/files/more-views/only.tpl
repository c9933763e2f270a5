only more
