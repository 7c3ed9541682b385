// libtorch uses all cores by itself: two tests at once would only fight over them.
[assembly: DoNotParallelize]
