namespace Microsoft.ML.Data;

/// <summary>For each target position along one axis, the source positions that it is made of and their weights.</summary>
internal readonly struct FilterTaps
{
    private FilterTaps(int start, int end, int count)
    {
        Start = start;
        End = end;
        Count = count;
        Sources = new int[Math.Max(0, end - start) * count];
        Weights = new float[Sources.Length];
    }

    /// <summary>The first target position.</summary>
    public int Start { get; }

    /// <summary>One after the last target position.</summary>
    public int End { get; }

    /// <summary>Taps a position.</summary>
    public int Count { get; }

    public int[] Sources { get; }

    public float[] Weights { get; }

    public static FilterTaps Create(int sourceSize, (int Start, int End) range, int origin, float inverse, bool cubic)
    {
        var taps = new FilterTaps(range.Start, range.End, cubic ? 4 : 2);
        Span<float> weights = stackalloc float[4];
        for (int target = range.Start; target < range.End; target++)
        {
            // Centres of pixels lie at halves, in the source as in the target.
            float position = ((target + 0.5f) * inverse) - (origin * inverse) - 0.5f;
            float whole = MathF.Floor(position);
            float fraction = position - whole;
            int first = (int)whole - (taps.Count / 2) + 1;
            if (cubic)
                Mitchell(fraction, weights);
            else
                (weights[0], weights[1]) = (1f - fraction, fraction);
            for (int i = 0; i < taps.Count; i++)
            {
                int at = ((target - range.Start) * taps.Count) + i;
                taps.Sources[at] = Math.Clamp(first + i, 0, sourceSize - 1);
                taps.Weights[at] = weights[i];
            }
        }

        return taps;
    }

    /// <summary>The cubic filter of Mitchell and Netravali with B = C = 1/3.</summary>
    private static void Mitchell(float t, Span<float> weights)
    {
        weights[0] = Far(1f - t);
        weights[1] = Near(1f - t);
        weights[2] = Near(t);
        weights[3] = Far(t);

        static float Near(float t) => ((((-21f / 18f * t) + (27f / 18f)) * t + (9f / 18f)) * t) + (1f / 18f);
        static float Far(float t) => t * t * ((7f / 18f * t) - (6f / 18f));
    }
}
