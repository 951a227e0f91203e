"""Where weights come from and what computes them: the hub, devices, ONNX and OpenVINO."""
