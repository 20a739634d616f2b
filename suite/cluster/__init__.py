"""Searches on other machines: manifests, jobs, and run folders on object storage."""
