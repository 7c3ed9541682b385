namespace Smae.Training;

/// <summary>
/// How the hidden patches are chosen. A masking is a value that names a method and its settings and keeps no state. One of your own is a record derived
/// from this that overrides <see cref="Draw"/>; it goes wherever <see cref="Random"/> and <see cref="Block"/> go (docs/methods.md has one).
/// </summary>
public abstract record Masking
{
    /// <summary>A masking that hides a share of the patches.</summary>
    /// <param name="ratio">The share, in (0, 1): 0.75 hides three patches of four.</param>
    /// <exception cref="ArgumentOutOfRangeException">The ratio is outside (0, 1).</exception>
    protected Masking(double ratio)
    {
        if (!(ratio is > 0 and < 1))
            throw new ArgumentOutOfRangeException(
                nameof(ratio), ratio, "The mask ratio must lie between 0 and 1, both excluded: 0.75 hides three patches of four.");
        Ratio = ratio;
    }

    /// <summary>The share of patches that is hidden, in (0, 1).</summary>
    public double Ratio { get; }

    /// <summary>
    /// A text that two maskings share only if they draw the same masks: a run goes on only from a checkpoint of the same. Default the type's name and
    /// the values of all its fields: numbers, enums, text, and lists, records and structs of these. With a field of another type override this.
    /// </summary>
    protected internal virtual string Identity => ValueText.Of(this);

    /// <summary>Hides patches drawn one by one, each as likely as any other (MAE).</summary>
    /// <param name="ratio">The share of patches to hide. Default 0.75.</param>
    /// <exception cref="ArgumentOutOfRangeException">The ratio is outside (0, 1).</exception>
    public static Masking Random(double ratio = 0.75) => new RandomMasking(ratio);

    /// <summary>Hides rectangles of patches of random size, shape and place until enough are hidden (SMAE).</summary>
    /// <param name="ratio">The share of patches to hide. Default 0.5.</param>
    /// <exception cref="ArgumentOutOfRangeException">The ratio is outside (0, 1).</exception>
    public static Masking Block(double ratio = 0.5) => new BlockMasking(ratio);

    /// <summary>
    /// Hides squares of a grid laid over the patches, drawn one by one, each as likely as any other (SimMIM: squares of 32x32 pixels, which are 2x2 patches of
    /// 16). A share of the squares is hidden, rounded up.
    /// </summary>
    /// <param name="ratio">The share of squares to hide. Default 0.6.</param>
    /// <param name="side">Rows and columns of patches in a square; divides those of the image. Default 2.</param>
    /// <exception cref="ArgumentOutOfRangeException">The ratio is outside (0, 1), or the side not positive.</exception>
    public static Masking Squares(double ratio = 0.6, int side = 2) => new SquareMasking(ratio, side);

    /// <summary>
    /// Hides rectangles of patches as BEiT does (MaskFeat, data2vec, BootMAE): the area uniform from <paramref name="minPatches"/> to what is left to hide, the aspect
    /// log-uniform from 0.3 to 1/0.3, only whole rectangles and only those that hide no more than is left. What no rectangle of ten would fill is hidden patch
    /// by patch at random, so that every image hides the same number, <paramref name="ratio"/> of all, rounded; BEiT's code leaves it visible.
    /// </summary>
    /// <param name="ratio">The share of patches to hide. Default 0.4, MaskFeat's; data2vec's is 0.61.</param>
    /// <param name="minPatches">The least area of a rectangle in patches. Default 16.</param>
    /// <param name="maxPatches">The largest area of a rectangle in patches. Default null: what is left to hide.</param>
    /// <param name="inRectangles">
    /// The share of all patches that rectangles hide; the others of the hidden ones are drawn one by one. Default null: the ratio. BootMAE hides 0.75, 120 of 196
    /// patches in rectangles of 16 to 60.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The ratio is outside (0, 1), or an area or share is not what it can be.</exception>
    public static Masking BlockWise(double ratio = 0.4, int minPatches = 16, int? maxPatches = null, double? inRectangles = null) =>
        new BlockWiseMasking(ratio, minPatches, maxPatches, inRectangles);

    /// <summary>
    /// How many patches of an image <see cref="Draw"/> hides. Default all but <see cref="VisibleCount"/> of them; one that rounds another way overrides this.
    /// </summary>
    /// <param name="gridHeight">Rows of patches.</param>
    /// <param name="gridWidth">Columns of patches.</param>
    protected internal virtual int HiddenCount(int gridHeight, int gridWidth) => gridHeight * gridWidth - (int)(gridHeight * gridWidth * (1 - Ratio));

    /// <summary>Why there is no mask for a grid of patches, one sentence each.</summary>
    internal virtual IEnumerable<string> Faults(int gridHeight, int gridWidth)
    {
        int patches = gridHeight * gridWidth, visible = patches - HiddenCount(gridHeight, gridWidth);
        if (visible < 1 || visible >= patches)
            yield return $"Masking hides {Ratio:P0} of {patches} patches, which leaves {visible} visible: expected at least one visible and one hidden.";
    }

    /// <summary>
    /// Draws a mask for a batch. It must follow from the arguments and the settings alone, or a run that was stopped does not go on as it would have;
    /// calls may come from several threads.
    /// </summary>
    /// <param name="batch">Images in the batch.</param>
    /// <param name="gridHeight">Rows of patches.</param>
    /// <param name="gridWidth">Columns of patches.</param>
    /// <param name="generator">The only source of randomness, on the CPU.</param>
    /// <returns>
    /// A mask on the CPU that hides the same number of patches in every image: <see cref="PatchMask.FromFlags"/>, <see cref="PatchMask.FromNoise"/>.
    /// </returns>
    public abstract PatchMask Draw(long batch, int gridHeight, int gridWidth, Generator generator);

    /// <summary>Draws image by image, several at the same time, each by random numbers of its own.</summary>
    /// <param name="hide">Hides patches of an image that hides none yet; the same number in every image.</param>
    private protected static PatchMask DrawEach(long batch, int patches, Generator generator, Action<Span<bool>, RandomSequence> hide)
    {
        using Tensor seeds = randint(long.MaxValue >> 1, new long[] { batch }, ScalarType.Int64, generator: generator);
        long[] seed = seeds.data<long>().ToArray();
        var hidden = new bool[batch * patches];
        Parallel.For(0, (int)batch, b => hide(hidden.AsSpan(b * patches, patches), new RandomSequence(seed[b])));
        return PatchMask.FromFlags(hidden, patches);
    }

    /// <summary>How many of so many patches stay visible: <c>(int)(patches * (1 - ratio))</c>, as in facebookresearch/mae.</summary>
    /// <param name="patches">Patches in an image.</param>
    /// <param name="ratio">The share to hide, in (0, 1).</param>
    /// <exception cref="ArgumentOutOfRangeException">The ratio is outside (0, 1), or leaves no patch visible or none hidden.</exception>
    public static int VisibleCount(int patches, double ratio)
    {
        int visible = ratio is > 0 and < 1 ? (int)(patches * (1 - ratio)) : 0;
        if (visible < 1 || visible >= patches)
            throw new ArgumentOutOfRangeException(nameof(ratio), ratio,
                FormattableString.Invariant($"A mask ratio of {ratio} over {patches} patches leaves {visible} visible: expected at least one visible and one hidden."));
        return visible;
    }
}

internal sealed record RandomMasking : Masking
{
    public RandomMasking(double ratio) : base(ratio) { }

    public override PatchMask Draw(long batch, int gridHeight, int gridWidth, Generator generator)
    {
        using Tensor noise = rand(batch, (long)gridHeight * gridWidth, generator: generator);
        return PatchMask.FromNoise(noise, Ratio);
    }
}
