namespace Smae.Training;

/// <summary>Masking of SimMIM (Xie et al. 2022): whole squares of patches, drawn one by one.</summary>
internal sealed record SquareMasking : Masking
{
    public SquareMasking(double ratio, int side) : base(ratio)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(side);
        Side = side;
    }

    /// <summary>Rows and columns of patches in a square.</summary>
    public int Side { get; }

    protected internal override int HiddenCount(int gridHeight, int gridWidth) => HiddenSquares(gridHeight, gridWidth) * Side * Side;

    internal override IEnumerable<string> Faults(int gridHeight, int gridWidth) => gridHeight % Side == 0 && gridWidth % Side == 0
        ? base.Faults(gridHeight, gridWidth)
        : [$"Masking hides squares of {Side}x{Side} of {gridHeight}x{gridWidth} patches: expected a side that divides both."];

    public override PatchMask Draw(long batch, int gridHeight, int gridWidth, Generator generator)
    {
        Rules.Check(Faults(gridHeight, gridWidth), nameof(gridHeight));
        int rows = gridHeight / Side, columns = gridWidth / Side;
        bool[] hidden;
        using (NewDisposeScope())
        {
            Tensor order = rand(batch, (long)rows * columns, generator: generator).argsort(1).argsort(1);
            Tensor squares = order.IsBelow(HiddenSquares(gridHeight, gridWidth)).view(batch, rows, columns);
            hidden = squares.repeat_interleave(Side, 1).repeat_interleave(Side, 2).contiguous().data<bool>().ToArray();
        }
        return PatchMask.FromFlags(hidden, gridHeight * gridWidth);
    }

    private int HiddenSquares(int gridHeight, int gridWidth) => (int)Math.Ceiling(gridHeight / Side * (gridWidth / Side) * Ratio);
}
