"""What is measured: the decoder beside other tools, a rig and its agent."""
