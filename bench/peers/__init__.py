"""Two engines from the registries doing the same job naively: call, then mark it done."""
