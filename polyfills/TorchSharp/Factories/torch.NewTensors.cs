using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp.Interop;

namespace TorchSharp;

// What the factories share.
public static unsafe partial class torch
{
    private static Tensor New(Operator op, ReadOnlySpan<long> size, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) =>
        Finished(op.Call(size, dtype ?? default_dtype, Arg.None, InitializeDevice(device)), requires_grad, names);

    private static Tensor NewRandom(Operator op, ReadOnlySpan<long> size, ScalarType? dtype, Device? device, bool requires_grad, Generator? generator, string[]? names) =>
        Finished(op.Call(size, generator, dtype ?? default_dtype, Arg.None, InitializeDevice(device)), requires_grad, names);

    private static Tensor Finished(Tensor tensor, bool requires_grad, string[]? names = null)
    {
        if (names is { Length: > 0 }) throw new NotSupportedException("Named dimensions are not supported.");
        if (requires_grad) tensor.requires_grad = true;
        return tensor;
    }

    private static Tensor FromScalar<T>(T scalar, Device? device, bool requires_grad, ScalarType? dtype = null) where T : unmanaged
    {
        var tensor = Copied(new ReadOnlySpan<T>(in scalar), [], null, device, requires_grad, null);
        if (dtype is null || dtype == tensor.dtype) return tensor;
        using (tensor) return tensor.to_type(dtype.Value);
    }

    /// <summary>A new tensor that holds a copy of the data.</summary>
    private static Tensor Copied<T>(ReadOnlySpan<T> data, ReadOnlySpan<long> sizes, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) where T : unmanaged
    {
        RequireEnough(sizes, data.Length);
        var tensor = empty(sizes, ToScalarType(typeof(T)), CPU);
        data[..(int)tensor.NumberOfElements].CopyTo(new Span<T>(tensor.DataPointer, data.Length));
        return Finished(Converted(tensor, dtype, device), requires_grad, names);
    }

    /// <summary>A tensor over the array's own memory, which stays where it is as long as the tensor lives.</summary>
    private static Tensor Wrapped(Array data, long offset, ReadOnlySpan<long> sizes, ScalarType? dtype, Device? device, bool requires_grad, string[]? names)
    {
        RequireEnough(sizes, data.LongLength);
        var type = ToScalarType(data.GetType().GetElementType()!);
        InitializeDeviceType(DeviceType.CPU);
        var pin = GCHandle.Alloc(data, GCHandleType.Pinned);
        nint result;
        fixed (long* pointer = sizes)
            Native.Check(Native.shim_tensor_wrap((byte*)pin.AddrOfPinnedObject() + offset * type.ElementSize(), pointer, sizes.Length, (int)type, &Unpin, GCHandle.ToIntPtr(pin), &result));
        return Finished(Converted(new Tensor(result), dtype, device), requires_grad, names);
    }

    [UnmanagedCallersOnly]
    private static void Unpin(nint pin) => GCHandle.FromIntPtr(pin).Free();

    /// <summary>The tensor as the type and on the device asked for; the given one is disposed where it is not the answer.</summary>
    private static Tensor Converted(Tensor tensor, ScalarType? dtype, Device? device)
    {
        device = InitializeDevice(device);
        if ((dtype ?? tensor.dtype) == tensor.dtype && device.type == DeviceType.CPU) return tensor;
        using (tensor) return tensor.to(dtype ?? tensor.dtype, device);
    }

    private static void RequireEnough(ReadOnlySpan<long> sizes, long given)
    {
        long needed = 1;
        foreach (long size in sizes) needed *= size;
        if (needed > given) throw new ArgumentException($"mismatched total size creating a tensor from an array: {needed} vs. {given}");
    }

    private static ReadOnlySpan<T> Items<T>(IList<T> list) => list as T[] ?? list.ToArray();

    private static ReadOnlySpan<T> Items<T>(Array array) where T : unmanaged =>
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<byte, T>(ref MemoryMarshal.GetArrayDataReference(array)), array.Length);

    private static long[] Sizes(Array array) => Enumerable.Range(0, array.Rank).Select(array.GetLongLength).ToArray();
}
