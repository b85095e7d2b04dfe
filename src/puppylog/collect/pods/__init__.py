"""Labels of pods, which only the API of Kubernetes knows."""
