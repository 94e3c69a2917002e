"""The workflow as one table: the steps, their parameters, inputs and outputs, and the code they use."""
