using TorchSharp.Modules;

namespace Smae.Training;

/// <summary>
/// Which tensors of a file go where in a model, and what of it does not fit: made of names and shapes alone. <see cref="Apply"/> then reads and copies them.
/// </summary>
internal sealed class WeightPlan
{
    private readonly SafeTensorsFile _file;
    private readonly List<(Tensor Target, Func<Tensor> Read)> _copies = [];
    private readonly HashSet<string> _known = [];

    /// <param name="model">The model's tensors under our names, or others of the same shapes.</param>
    /// <param name="names">The file's names.</param>
    /// <param name="fit">How tensors of other sizes are made to fit; null: they are faults.</param>
    /// <param name="mayLack">Which parameters a file may lack; they are left as they are.</param>
    /// <param name="read">How a tensor of ours is made of the file's; null joins them.</param>
    /// <param name="shapeOf">The shape in the file of a tensor of ours that is one of some parts there; null is that of the part.</param>
    public WeightPlan(
        IEnumerable<(string Name, Tensor Tensor)> model, SafeTensorsFile file, WeightNames names, WeightFit? fit = null, Func<string, bool>? mayLack = null,
        Func<string, IReadOnlyList<string>, Tensor?>? read = null, Func<Tensor, int, long[]>? shapeOf = null)
    {
        _file = file;
        (string Name, Tensor Tensor)[] tensors = [.. model];
        bool IsBias(string name) => name.EndsWith("attn.qkv.bias", StringComparison.Ordinal);
        bool biased = tensors.Any(t => IsBias(t.Name) && names.Of(t.Name).Any(file.Contains));
        foreach ((string name, Tensor tensor) in tensors)
        {
            IReadOnlyList<string> sources = names.Of(name);
            _known.UnionWith(sources);
            bool isTable = fit is not null && name.EndsWith("pos_embed", StringComparison.Ordinal);
            if (isTable && tensor is not Parameter) continue;   // a fixed table is the model's own
            if (IsBias(name) && !biased && names.Of(name.Replace(".bias", ".weight", StringComparison.Ordinal)).Any(file.Contains))
            {
                _copies.Add((tensor, () => zeros_like(tensor)));   // a file without these biases
                continue;
            }
            if (sources.Count == 0 && tensor is Parameter) Faults[name] = "has no place in the file";
            if (mayLack?.Invoke(name) == true && !sources.Any(file.Contains))
            {
                Left.Add(name);
                continue;
            }
            Func<Tensor, Tensor>? change = null;
            bool whole = sources.Count > 0;
            foreach (string source in sources)
            {
                whole &= file.Contains(source);
                long[] expected = (shapeOf ?? ModelWeights.Part)(tensor, sources.Count);
                if (!file.Contains(source))
                {
                    if (tensor is Parameter) Faults[source] = "is missing";   // a buffer can be made again
                }
                else if (isTable)
                {
                    if (fit!.PositionFault(file, source, tensor, out change) is { } fault) Faults[source] = fault;
                }
                else if (!file.Shape(source).SequenceEqual(expected) && (change = fit?.Patches(name, file.Shape(source))) is null)
                    Faults[source] = ModelWeights.Misshapen(file.Shape(source), expected);
            }
            if (whole) _copies.Add((tensor, () =>
            {
                Tensor stored = read?.Invoke(name, sources) ?? (sources.Count == 1 ? file.Read(sources[0]) : cat([.. sources.Select(file.Read)], 0));
                return change?.Invoke(stored) ?? stored;
            }));
        }
        Unknown = [.. file.Names.Where(n => n.StartsWith(names.Root, StringComparison.Ordinal) && !_known.Contains(n)).Select(n => n[names.Root.Length..])];
        HasBias = biased;
        Segments = _known.Select(n => n[names.Root.Length..].Split('.')[0]).ToHashSet();
    }

    /// <summary>What does not fit, by the file's name.</summary>
    public Dictionary<string, string> Faults { get; } = [];

    /// <summary>Our names of parameters that the file lacks, as it may.</summary>
    public List<string> Left { get; } = [];

    /// <summary>Tensors of the file that nothing of the model is made of, without what stands before all names.</summary>
    public IReadOnlyList<string> Unknown { get; }

    /// <summary>Whether queries, keys and values have a bias in the file; where not it becomes 0.</summary>
    public bool HasBias { get; }

    /// <summary>Tensors of the model that are filled.</summary>
    public int Count => _copies.Count;

    /// <summary>The first parts of the names that the model has in the file, such as <c>blocks</c>: what else stands there is of another model.</summary>
    public IReadOnlySet<string> Segments { get; }

    /// <summary>Throws if something does not fit.</summary>
    /// <exception cref="InvalidDataException">There are faults; the message has a line for each kind of them.</exception>
    public void Check() => ModelWeights.Refuse(Faults, _file);

    /// <summary>Copies the weights.</summary>
    /// <exception cref="InvalidDataException">There are faults.</exception>
    public void Apply()
    {
        Check();
        using var noGrad = no_grad();
        foreach ((Tensor target, Func<Tensor> read) in _copies)
        {
            using DisposeScope scope = NewDisposeScope();
            target.copy_(read());
        }
    }
}

/// <summary>How tensors of a file for images or patches of another size are made to fit an encoder.</summary>
/// <param name="Model">The encoder's shape.</param>
/// <param name="Resize">Whether learned positions may be resized; else another grid is a fault.</param>
/// <param name="Given">The file's rows and columns of patches, where the caller says.</param>
/// <param name="Described">The shape of the encoder in the file, where the caller knows it.</param>
/// <param name="AdaptPatches">Whether the patch embedding may be made one of other patches and channels.</param>
internal sealed record WeightFit(
    VisionTransformerConfig Model, bool Resize, (int Height, int Width)? Given = null, VisionTransformerConfig? Described = null, bool AdaptPatches = false)
{
    private (int Height, int Width) Grid => (Model.GridHeight, Model.GridWidth);

    /// <summary>What was made to fit, for people.</summary>
    public List<string> Changes { get; } = [];

    /// <summary>Why a table of positions cannot be taken; null where it can, then <paramref name="change"/> is what is to be done to it, if anything.</summary>
    public string? PositionFault(SafeTensorsFile file, string name, Tensor wanted, out Func<Tensor, Tensor>? change)
    {
        change = null;
        IReadOnlyList<long> shape = file.Shape(name);
        string misshapen = ModelWeights.Misshapen(shape, wanted.shape);
        if (shape.Count != 3 || shape[0] != 1 || shape[2] != wanted.size(2) || shape[1] < 1) return misshapen;
        // A row for the class token may stand before those of the patches, here and there; timm's models with registers have none.
        int row = (int)(wanted.size(1) - Model.PatchCount);
        long rows = shape[1], patches = rows - row;
        (int Height, int Width)?[] known = Given is not null ? [Given] : [Beside(file.Path), Of(Described), Grid, Square(patches), Square(rows - 1 + row)];
        if (known.FirstOrDefault(g => g is { } grid && rows - (long)grid.Height * grid.Width is 0 or 1) is not { } source)
            return $"{misshapen}: {patches} patches {Guess(patches)}, so pass sourceGrid, the rows and columns of patches that the file is for, "
                + "or keep its description (.json, or Hugging Face's config.json) beside it";
        bool hasRow = rows > (long)source.Height * source.Width;
        if (source == Grid && hasRow == (row == 1)) return null;
        if (source != Grid && !Resize)
            return patches != Model.PatchCount ? misshapen : $"is for {source.Height}x{source.Width} patches, expected {Grid.Height}x{Grid.Width}: resize positions";
        change = table =>
        {
            Tensor grid = ModelWeights.ResizePositions(hasRow ? table.narrow(1, 1, rows - 1) : table, source, Grid);
            return row == 0 ? grid : cat([hasRow ? table.narrow(1, 0, 1) : zeros_like(grid.narrow(1, 0, 1)), grid], 1);
        };
        if (source != Grid)
            Changes.Add($"{(name.Contains("decoder", StringComparison.Ordinal) ? "decoder positions" : "positions")} "
                + $"resized from {source.Height}x{source.Width} to {Grid.Height}x{Grid.Width} patches");
        return null;
    }

    /// <summary>What makes a weight of the patch embedding one for other patches and channels; null where that cannot be.</summary>
    public Func<Tensor, Tensor>? Patches(string name, IReadOnlyList<long> shape)
    {
        if (!AdaptPatches || name != "patch_embed.proj.weight" || shape is not [long dim, long channels, long height, long width]) return null;
        if (dim != Model.EmbedDim || height != width || !PatchAdaption.CanTurn(channels, Model.Channels)) return null;
        string From(long sides, long of) => $"{of} channels in {sides}x{sides}";
        Changes.Add($"the patch embedding made for {From(Model.PatchSize, Model.Channels)} of {From(height, channels)}");
        return weight => PatchAdaption.ToPatches(PatchAdaption.ToChannels(weight.to_type(ScalarType.Float32), Model.Channels), Model.PatchSize);
    }

    /// <summary>The grid of a square image, where so many patches can be of no other one that has more than one row and column.</summary>
    private static (int, int)? Square(long patches) => Grids(patches) is [var only] && only.Height == only.Width ? only : null;

    private static (int Height, int Width)[] Grids(long patches) => patches == 1 ? [(1, 1)]
        : [.. Enumerable.Range(2, Math.Max(0, (int)Math.Sqrt(patches) - 1)).Where(h => patches % h == 0).Select(h => (h, (int)(patches / h))).Reverse()];

    private static string Guess(long patches)
    {
        (int Height, int Width)[] grids = Grids(patches);
        return grids.Length == 0 || grids[0].Height != grids[0].Width ? "are no square"
            : $"may be {string.Join(" or ", grids.Take(2).Select(g => $"{g.Height}x{g.Width}"))}";
    }

    private static (int, int)? Of(VisionTransformerConfig? config) => config is null ? null : (config.GridHeight, config.GridWidth);

    private static (int, int)? Beside(string path)
    {
        try
        {
            return Of(EncoderFiles.Find(path).Stored);
        }
        catch (InvalidDataException)
        {
            return null;   // another file of that name
        }
    }
}

/// <summary>Makes a patch embedding one for other images, as timm does.</summary>
internal static class PatchAdaption
{
    /// <summary>Whether weights of so many channels can be made ones of others.</summary>
    public static bool CanTurn(long from, long to) => from == to || from == 3 || (to == 1 && from < 3);

    /// <summary>
    /// Weights for another number of channels (timm's <c>adapt_input_conv</c>): for one their sum, for more than three those of three over and over, scaled so
    /// that an image of equal channels gives the same tokens.
    /// </summary>
    /// <param name="weight"><c>[dim, channels, patch, patch]</c>.</param>
    public static Tensor ToChannels(Tensor weight, int channels)
    {
        long from = weight.size(1);
        if (from == channels) return weight;
        if (channels == 1) return weight.sum(1, keepdim: true);
        return weight.repeat(1, (channels + from - 1) / from, 1, 1).narrow(1, 0, channels).Times((double)from / channels);
    }

    /// <summary>
    /// Weights for patches of another size (FlexiViT, Beyer et al. 2023, and timm's <c>resample_patch_embed</c>): the pseudo-inverse of resizing patches by the
    /// antialiased bicubic filter, so that tokens of resized images stay what they were as nearly as can be.
    /// </summary>
    /// <param name="weight"><c>[dim, channels, patch, patch]</c>, float32.</param>
    public static Tensor ToPatches(Tensor weight, int size)
    {
        int from = (int)weight.size(2);
        if (from == size) return weight;
        // Rows and columns are resized one after the other, so the pseudo-inverse of the whole is that of one side on either side.
        Tensor inverse = linalg.pinv(tensor(Bicubic(from, size), [size, from]).t()).to_type(ScalarType.Float32);   // [size, from]
        return matmul(matmul(inverse, weight), inverse.t());
    }

    /// <summary>How much each old pixel counts in each new one, <c>[to, from]</c>: the cubic of a = -0.5, widened where there are fewer new ones.</summary>
    private static double[] Bicubic(int from, int to)
    {
        var shares = new double[to * from];
        double scale = (double)from / to, width = Math.Max(1, scale);
        for (int i = 0; i < to; i++)
        {
            double centre = scale * (i + 0.5);
            int first = Math.Max(0, (int)(centre - 2 * width + 0.5)), end = Math.Min(from, (int)(centre + 2 * width + 0.5));
            Span<double> row = shares.AsSpan(i * from, from);
            double sum = 0;
            for (int j = first; j < end; j++) sum += row[j] = Cubic((j - centre + 0.5) / width);
            for (int j = first; j < end; j++) row[j] /= sum;
        }
        return shares;
    }

    private static double Cubic(double x)
    {
        x = Math.Abs(x);
        return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    }
}
