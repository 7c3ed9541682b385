namespace Smae.Export;

/// <summary>Quantises weights to 8-bit integers: symmetric, with a scale for each output channel.</summary>
internal static class Int8Quantizer
{
    /// <summary>
    /// The largest integer: 7 bits of the 8. Processors without VNNI add two products of an unsigned and a signed byte in 16 bits and cut off what
    /// stands over; 255 * 64 * 2 just fits, so every processor gives the same.
    /// </summary>
    public const int Largest = 64;

    /// <summary>Quantises a matrix.</summary>
    /// <param name="numbers"><c>[inputs, outputs]</c>.</param>
    /// <param name="inputs">Rows.</param>
    /// <param name="outputs">Columns.</param>
    /// <returns>
    /// Integers, <c>[inputs, outputs]</c>, and scales, <c>[outputs]</c>: a number is its integer times the scale of its column, to within half a
    /// scale.
    /// </returns>
    public static (sbyte[] Quantized, float[] Scales) Quantize(float[] numbers, int inputs, int outputs)
    {
        var scales = new float[outputs];
        for (int i = 0; i < numbers.Length; i++) scales[i % outputs] = Math.Max(scales[i % outputs], Math.Abs(numbers[i]));
        for (int o = 0; o < outputs; o++) scales[o] = scales[o] > 0 ? scales[o] / Largest : 1;

        var quantized = new sbyte[numbers.Length];
        for (int i = 0; i < inputs; i++)
        for (int o = 0; o < outputs; o++)
            quantized[i * outputs + o] = (sbyte)Math.Clamp(MathF.Round(numbers[i * outputs + o] / scales[o]), -Largest, Largest);
        return (quantized, scales);
    }
}
