namespace TorchSharp.Interop;

/// <summary>Lays arguments out in native form on the stack for one call.</summary>
internal static unsafe class ArgList
{
    /// <summary>The words that all lists among the arguments need.</summary>
    public static int Words(ReadOnlySpan<Arg> args)
    {
        int words = 0;
        foreach (ref readonly var arg in args) if (arg.Value.Kind is >= ValueKind.Ints and <= ValueKind.Text) words += arg.Words;
        return words;
    }

    /// <summary>Writes the arguments as native values whose lists lie in the words given, which must not move.</summary>
    public static void Write(ReadOnlySpan<Arg> args, NativeValue* values, Span<long> words)
    {
        int used = 0;
        for (int i = 0; i < args.Length; i++)
        {
            ref readonly var arg = ref args[i];
            values[i] = arg.Value;
            if (arg.Value.Kind is not (ValueKind.Ints or ValueKind.Doubles or ValueKind.Tensors or ValueKind.Text)) continue;
            var list = words.Slice(used, arg.Words);
            arg.CopyTo(list);
            fixed (long* pointer = words) values[i].Pointer = (nint)(pointer + used);
            used += list.Length;
        }
    }

    /// <summary>Keeps what stands behind the arguments from the finaliser until here.</summary>
    public static void KeepAlive(ReadOnlySpan<Arg> args)
    {
        foreach (ref readonly var arg in args) GC.KeepAlive(arg.Source);
    }
}
