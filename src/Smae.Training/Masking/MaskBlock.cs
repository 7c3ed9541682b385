namespace Smae.Training;

/// <summary>A rectangle that block-wise masking hides, measured in patches. It lies within the grid and covers every patch it touches.</summary>
internal readonly record struct MaskBlock(double Top, double Left, double Height, double Width)
{
    /// <summary>Limits of the SMAE paper.</summary>
    public const double MinArea = 16, MinAspect = 0.3, MaxAspect = 1 / MinAspect;

    /// <summary>
    /// The paper's block: area s ~ U[16, max(16, left to hide)], aspect r ~ U[0.3, 1/0.3], sqrt(s r) high, sqrt(s / r) wide and not larger than the
    /// grid, anywhere.
    /// </summary>
    /// <param name="gridHeight">Rows of patches.</param>
    /// <param name="gridWidth">Columns of patches.</param>
    /// <param name="toHide">Patches that are still to be hidden.</param>
    /// <param name="random">The source of randomness.</param>
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
