"""Searches on other machines: jobs of a Ray cluster, KubeRay manifests and sbatch scripts."""
