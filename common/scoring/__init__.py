"""The portable model: the winner's pipeline as ONNX, scored without Spark or Java."""
