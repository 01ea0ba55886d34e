"""SavedModels: graph, folder, proof, warm-up."""
