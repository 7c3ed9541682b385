namespace Smae.Training;

/// <summary>Moves the numbers of attention heads between token by token, as linear layers have them, and head by head, as products want them.</summary>
internal static unsafe class HeadLayout
{
    /// <summary>From <c>[batch, tokens, parts, heads, bytes]</c> to one <c>[batch, heads, tokens, bytes]</c> for each part.</summary>
    /// <param name="tokens">Where the numbers are.</param>
    /// <param name="parts">Where each part goes: queries, keys and values, or one alone.</param>
    /// <param name="shape">Images, tokens of each, heads, and bytes of a head's share of a token.</param>
    public static void Split(byte* tokens, ReadOnlySpan<nint> parts, (long Batch, long Tokens, int Heads, int Bytes) shape) =>
        Move(tokens, parts, shape, split: true);

    /// <summary>The inverse of <see cref="Split"/>.</summary>
    public static void Merge(byte* tokens, ReadOnlySpan<nint> parts, (long Batch, long Tokens, int Heads, int Bytes) shape) =>
        Move(tokens, parts, shape, split: false);

    private static void Move(byte* tokens, ReadOnlySpan<nint> parts, (long Batch, long Tokens, int Heads, int Bytes) shape, bool split)
    {
        (_, long count, int heads, int bytes) = shape;
        nint[] places = parts.ToArray();
        CpuKernels.For(shape.Batch, (first, end) =>
        {
            for (long b = first; b < end; b++)
            for (int part = 0; part < places.Length; part++)
            for (int head = 0; head < heads; head++)
            {
                byte* token = tokens + ((b * count * places.Length + part) * heads + head) * bytes;
                byte* own = (byte*)places[part] + (b * heads + head) * count * bytes;
                long stride = (long)places.Length * heads * bytes;
                for (long t = 0; t < count; t++, token += stride, own += bytes)
                    if (split) Copy(token, own, bytes);
                    else Copy(own, token, bytes);
            }
        });
    }

    private static void Copy(byte* from, byte* to, int bytes) => new ReadOnlySpan<byte>(from, bytes).CopyTo(new Span<byte>(to, bytes));
}
