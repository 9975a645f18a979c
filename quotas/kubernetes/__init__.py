"""Limits in a Kubernetes cluster: rendered, applied, kept as they should be; the cluster's own wishes followed.

Nothing here happens without KUBECONFIG_PATH.
"""
