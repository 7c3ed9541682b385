namespace Smae.Training;

/// <summary>
/// Block-wise masking of the SMAE paper: blocks are added until enough patches are hidden; what the last one hid too many, drawn at random from
/// it, is shown again.
/// </summary>
internal sealed record BlockMasking : Masking
{
    public BlockMasking(double ratio) : base(ratio) { }

    public override PatchMask Draw(long batch, int gridHeight, int gridWidth, Generator generator)
    {
        int patches = gridHeight * gridWidth, target = patches - VisibleCount(patches, Ratio);
        return DrawEach(batch, patches, generator, (hidden, random) => Hide(hidden, gridHeight, gridWidth, target, random));
    }

    /// <summary>Hides so many patches of an image that hides none yet.</summary>
    internal static void Hide(Span<bool> hidden, int gridHeight, int gridWidth, int target, RandomSequence random)
    {
        var added = new List<int>();   // what the block at hand hides anew
        for (int count = 0; count < target; count += added.Count)
        {
            added.Clear();
            foreach (int place in MaskBlock.Draw(gridHeight, gridWidth, target - count, random).Patches(gridHeight, gridWidth))
            {
                if (hidden[place]) continue;
                hidden[place] = true;
                added.Add(place);
            }
            for (int over = count + added.Count - target; over > 0; over--)
            {
                int pick = random.Below(added.Count);
                hidden[added[pick]] = false;
                added.RemoveAt(pick);
            }
        }
    }
}

/// <summary>A rectangle that block-wise masking hides, measured in patches. It lies within the grid and covers every patch it touches.</summary>
internal readonly record struct MaskBlock(double Top, double Left, double Height, double Width)
{
    public const double MinArea = 16, MinAspect = 0.3, MaxAspect = 1 / MinAspect;

    /// <summary>
    /// The paper's block: area s ~ U[16, max(16, left to hide)], aspect r ~ U[0.3, 1/0.3], sqrt(s r) high, sqrt(s / r) wide and not larger than the
    /// grid, anywhere.
    /// </summary>
    public static MaskBlock Draw(int gridHeight, int gridWidth, int toHide, RandomSequence random)
    {
        double area = random.Uniform(MinArea, Math.Max(MinArea, toHide)), aspect = random.Uniform(MinAspect, MaxAspect);
        double height = Math.Min(Math.Sqrt(area * aspect), gridHeight), width = Math.Min(Math.Sqrt(area / aspect), gridWidth);
        double top = random.Uniform(0, gridHeight - height), left = random.Uniform(0, gridWidth - width);
        return new(top, left, height, width);
    }

    /// <summary>The patches that it covers, row by row, each as row * columns + column.</summary>
    public IEnumerable<int> Patches(int gridHeight, int gridWidth)
    {
        int bottom = (int)Math.Min(gridHeight, Math.Ceiling(Top + Height)), right = (int)Math.Min(gridWidth, Math.Ceiling(Left + Width));
        for (int y = (int)Top; y < bottom; y++)
        for (int x = (int)Left; x < right; x++)
            yield return y * gridWidth + x;
    }
}
