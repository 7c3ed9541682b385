using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public static int get_num_threads() => Native.shim_num_threads();

    public static void set_num_threads(int num) => Native.Check(Native.shim_set_num_threads(num));

    public static int get_num_interop_threads() => Native.shim_num_interop_threads();

    public static void set_num_interop_threads(int num) => Native.Check(Native.shim_set_num_interop_threads(num));
}
