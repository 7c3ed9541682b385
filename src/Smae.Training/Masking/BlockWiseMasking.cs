namespace Smae.Training;

/// <summary>Block-wise masking of BEiT (Bao et al. 2022), which MaskFeat, data2vec and BootMAE took over: rectangles until enough patches are hidden.</summary>
internal sealed record BlockWiseMasking : Masking
{
    private const int Attempts = 10;
    private static readonly double s_logAspect = Math.Log(1 / 0.3);

    public BlockWiseMasking(double ratio, int minPatches, int? maxPatches, double? inRectangles) : base(ratio)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(minPatches);
        if (maxPatches is { } most) ArgumentOutOfRangeException.ThrowIfLessThan(most, minPatches, nameof(maxPatches));
        if (inRectangles is { } share && !(share > 0 && share <= ratio))
            throw new ArgumentOutOfRangeException(
                nameof(inRectangles), share, FormattableString.Invariant($"Expected a share of all patches, more than 0 and at most the ratio ({ratio})."));
        (MinPatches, MaxPatches, InRectangles) = (minPatches, maxPatches ?? int.MaxValue, inRectangles ?? ratio);
    }

    /// <summary>The least area of a rectangle.</summary>
    public int MinPatches { get; }

    /// <summary>The largest area of a rectangle.</summary>
    public int MaxPatches { get; }

    /// <summary>The share of all patches that rectangles hide; the rest of the hidden ones are drawn one by one.</summary>
    public double InRectangles { get; }

    protected internal override int HiddenCount(int gridHeight, int gridWidth) => (int)Math.Round(gridHeight * gridWidth * Ratio);

    public override PatchMask Draw(long batch, int gridHeight, int gridWidth, Generator generator)
    {
        Rules.Check(Faults(gridHeight, gridWidth), nameof(gridHeight));
        int patches = gridHeight * gridWidth, count = HiddenCount(gridHeight, gridWidth), blocks = Math.Min(count, (int)Math.Round(patches * InRectangles));
        return DrawEach(batch, patches, generator, (hidden, random) =>
        {
            int left = count - Hide(hidden, gridHeight, gridWidth, blocks, MinPatches, MaxPatches, random);
            for (; left > 0; left--) HideOne(hidden, random.Below(patches - count + left));
        });
    }

    /// <summary>Hides rectangles in an image until so many patches are hidden, or until none of ten rectangles fits.</summary>
    /// <returns>How many are hidden: at most <paramref name="count"/>.</returns>
    internal static int Hide(Span<bool> hidden, int gridHeight, int gridWidth, int count, int minPatches, int maxPatches, RandomSequence random)
    {
        int done = 0;
        for (int added = 1; added > 0 && done < count; done += added)
            added = HideRectangle(hidden, gridHeight, gridWidth, Math.Min(count - done, maxPatches), minPatches, random);
        return done;
    }

    /// <summary>Draws at most ten rectangles and hides the first that is smaller than the grid and hides at least one patch more, at most so many.</summary>
    /// <returns>How many patches it hides anew; 0 where none of ten would do.</returns>
    private static int HideRectangle(Span<bool> hidden, int gridHeight, int gridWidth, int most, int minPatches, RandomSequence random)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            double area = random.Uniform(minPatches, most), aspect = Math.Exp(random.Uniform(-s_logAspect, s_logAspect));
            int height = (int)Math.Round(Math.Sqrt(area * aspect)), width = (int)Math.Round(Math.Sqrt(area / aspect));
            if (height >= gridHeight || width >= gridWidth) continue;
            int top = random.Below(gridHeight - height + 1), left = random.Below(gridWidth - width + 1), fresh = 0;
            for (int y = top; y < top + height; y++) fresh += hidden.Slice(y * gridWidth + left, width).Count(false);
            if (fresh == 0 || fresh > most) continue;
            for (int y = top; y < top + height; y++) hidden.Slice(y * gridWidth + left, width).Fill(true);
            return fresh;
        }
        return 0;
    }

    /// <summary>Hides one of the visible patches, counted from 0.</summary>
    private static void HideOne(Span<bool> hidden, int number)
    {
        for (int i = 0; i < hidden.Length; i++)
        {
            if (hidden[i] || number-- > 0) continue;
            hidden[i] = true;
            return;
        }
    }
}
