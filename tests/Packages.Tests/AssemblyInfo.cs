// They share the packages, and each starts the SDK.
[assembly: DoNotParallelize]
