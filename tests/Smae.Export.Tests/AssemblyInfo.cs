// libtorch and ONNX Runtime use all cores already.
[assembly: DoNotParallelize]
