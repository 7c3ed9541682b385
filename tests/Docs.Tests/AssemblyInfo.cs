// A page runs in the process's current folder.
[assembly: DoNotParallelize]
