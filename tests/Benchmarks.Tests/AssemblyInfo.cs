// libtorch and the decoders use all cores already.
[assembly: DoNotParallelize]
