"""The Ray Tune side of a search. Only this package and suite.cluster import Ray."""
