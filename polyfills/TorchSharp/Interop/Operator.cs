using System.Runtime.CompilerServices;
using System.Text;
using static TorchSharp.torch;

namespace TorchSharp.Interop;

/// <summary>
/// One operator of libtorch by its name and overload in the dispatcher, and its in-place twin.
/// Arguments that are left out at the end take the defaults of the operator's schema, which grows between versions.
/// </summary>
internal sealed unsafe class Operator(string name, string overload = "")
{
    private nint handle, inPlaceHandle;

    /// <summary>An operator named like the field that it is assigned to.</summary>
    public static Operator Named(string overload = "", [CallerMemberName] string name = "") => new(name, overload);

    /// <summary>Whether the libtorch at hand has this operator.</summary>
    public bool Exists => handle != 0 || (handle = Find(name)) != 0;

    /// <summary>Calls the operator for its one tensor.</summary>
    public Tensor Call(params ReadOnlySpan<Arg> args)
    {
        NativeValue result;
        Invoke(Handle, args, &result, 1);
        return new Tensor(result.Pointer);
    }

    /// <summary>Calls the in-place twin on the first argument, and gives that back.</summary>
    public Tensor InPlace(params ReadOnlySpan<Arg> args)
    {
        if (inPlaceHandle == 0) inPlaceHandle = Require(Find(name + "_"), name + "_");
        Invoke(inPlaceHandle, args, null, 0);
        return (Tensor)args[0].Source!;
    }

    /// <summary>Calls the operator for two tensors.</summary>
    public (Tensor, Tensor) Two(params ReadOnlySpan<Arg> args)
    {
        var results = stackalloc NativeValue[2];
        Invoke(Handle, args, results, 2);
        return (new Tensor(results[0].Pointer), new Tensor(results[1].Pointer));
    }

    /// <summary>Calls the operator for three tensors, of which it may leave out the last two.</summary>
    public (Tensor, Tensor?, Tensor?) Three(params ReadOnlySpan<Arg> args)
    {
        var results = stackalloc NativeValue[3];
        Invoke(Handle, args, results, 3);
        return (new Tensor(results[0].Pointer), Optional(results[1]), Optional(results[2]));

        static Tensor? Optional(NativeValue value) => value.Pointer == 0 ? null : new Tensor(value.Pointer);
    }

    /// <summary>Calls the operator for a list of tensors.</summary>
    public Tensor[] Many(params ReadOnlySpan<Arg> args)
    {
        NativeValue result;
        Invoke(Handle, args, &result, 1);
        var tensors = new Tensor[result.Length];
        for (int i = 0; i < tensors.Length; i++) tensors[i] = new Tensor(((nint*)result.Pointer)[i]);
        Native.shim_free(result.Pointer);
        return tensors;
    }

    /// <summary>Calls the operator for a value that is no tensor.</summary>
    public NativeValue Value(params ReadOnlySpan<Arg> args)
    {
        NativeValue result;
        Invoke(Handle, args, &result, 1);
        return result;
    }

    /// <summary>Calls the operator for a truth value.</summary>
    public bool Test(params ReadOnlySpan<Arg> args) => Value(args).Integer != 0;

    private nint Handle => handle != 0 ? handle : handle = Require(Find(name), name);

    private nint Find(string wanted)
    {
        InitializeDeviceType(DeviceType.CPU);
        fixed (byte* nameBytes = Encoding.UTF8.GetBytes($"aten::{wanted}\0"), overloadBytes = Encoding.UTF8.GetBytes($"{overload}\0"))
            return Native.shim_operator_find(nameBytes, overloadBytes);
    }

    private nint Require(nint found, string wanted) =>
        found != 0 ? found : throw new NotSupportedException($"libtorch {__version__} has no operator aten::{wanted}.{overload}.");

    private static void Invoke(nint op, ReadOnlySpan<Arg> args, NativeValue* results, int capacity)
    {
        int count = ArgList.Words(args);
        Span<long> words = count <= 256 ? stackalloc long[count] : GC.AllocateUninitializedArray<long>(count, pinned: true);
        var values = stackalloc NativeValue[args.Length];
        ArgList.Write(args, values, words);
        bool done = Native.shim_operator_call(op, values, args.Length, results, capacity);
        ArgList.KeepAlive(args);
        Native.Check(done);
    }
}
