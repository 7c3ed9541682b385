using TorchSharp.Modules;
using TorchSharp.Utils;

namespace Smae.Training;

/// <summary>
/// A teacher that follows the encoder (DINO, SdAE): a copy of it at first, then a moving average of it. It has neither gradients nor dropout.
/// </summary>
internal sealed class FollowingTeacher : IDisposable
{
    private readonly VisionTransformer _student;

    public FollowingTeacher(VisionTransformer student, Device device)
    {
        _student = student;
        Model = new VisionTransformer(student.Config with { Dropout = 0 }).to(device);
        Model.Precision = student.Precision;
        foreach (Parameter parameter in Model.parameters()) parameter.requires_grad_(false);
        Follow(momentum: 0);
    }

    public VisionTransformer Model { get; }

    /// <summary>What a checkpoint must keep: <c>teacher.NAME</c>.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> State => ModelWeights.Of(Model).Select(w => ($"teacher.{w.Name}", w.Tensor));

    /// <summary>
    /// <c>teacher = momentum * teacher + (1 - momentum) * student</c>. The position table follows too, as in the published code of SdAE, where it need not be
    /// the encoder's at first.
    /// </summary>
    public void Follow(double momentum) => MovingAverage.Update(Weights(Model), Weights(_student), momentum);

    /// <summary>Gives the student the teacher's weights: the end of a run that keeps the teacher.</summary>
    public void Replace() => MovingAverage.Update(Weights(_student), Weights(Model), momentum: 0);

    public void Dispose() => Model.Dispose();

    private static IEnumerable<Tensor> Weights(VisionTransformer model) => ModelWeights.Of(model).Select(w => w.Tensor);
}

/// <summary>
/// The first blocks of a pretrained encoder that never changes. It looks at the same patches as its student: images are resized (bilinear, half-pixel centres)
/// so that a patch of the student becomes one of the teacher's. A teacher for larger images would see them in a border of zeros whose tokens are dropped before
/// the first block, and that border is simply not computed; positions are those of the student's grid.
/// </summary>
internal sealed class FrozenTeacher : IDisposable
{
    private readonly bool _sameColors;
    private readonly Tensor _scale, _shift;

    private FrozenTeacher(VisionTransformer model, ImagePreprocessing own, ImagePreprocessing student, Device device)
    {
        Model = model;
        _sameColors = own.Mean.SequenceEqual(student.Mean) && own.StandardDeviation.SequenceEqual(student.StandardDeviation);
        Tensor Channels(IEnumerable<float> values) => tensor(values.ToArray(), [1, own.Channels, 1, 1], device: device).DetachFromDisposeScope();
        _scale = Channels(student.StandardDeviation.Zip(own.StandardDeviation, (from, to) => from / to));
        _shift = Channels(student.Mean.Select((mean, i) => (mean - own.Mean[i]) / own.StandardDeviation[i]));
    }

    /// <summary>What is used of the teacher, for images resized to it.</summary>
    public VisionTransformer Model { get; }

    /// <summary>What is wrong with a teacher for a student, one sentence each.</summary>
    /// <param name="architecture">Its shape; null is that in the JSON file beside the weights.</param>
    /// <param name="blocks">The blocks that are needed; null is the one at three quarters of the depth.</param>
    public static IEnumerable<string> Faults(string path, VisionTransformerConfig? architecture, VisionTransformerConfig student, BlockList? blocks)
    {
        if (string.IsNullOrWhiteSpace(path)) return ["Objective.Teacher is empty: expected a safetensors file with the teacher's weights."];
        try
        {
            (VisionTransformerConfig shape, _) = Describe(path, architecture);
            string[] faults = [.. shape.Faults("Objective.Architecture")];
            return faults.Length > 0 ? faults : FitFaults(SafeTensors.Open(EncoderFiles.Find(path).Weights), shape, student, blocks ?? AtThreeQuarters(shape));
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            return [$"Objective.Teacher: {e.Message}"];
        }
    }

    /// <summary>The block after which three quarters of a depth are done.</summary>
    public static BlockList AtThreeQuarters(VisionTransformerConfig shape) => [Math.Max(0, shape.Depth * 3 / 4 - 1)];

    /// <summary>
    /// The shape of a teacher, and what is done to images before it sees them: ImageNet's statistics, unless a JSON file beside it says otherwise.
    /// </summary>
    /// <exception cref="FileNotFoundException">The weights are not there, or neither architecture nor a JSON file.</exception>
    /// <exception cref="InvalidDataException">The JSON file describes no encoder.</exception>
    public static (VisionTransformerConfig Shape, ImagePreprocessing Preprocessing) Describe(string path, VisionTransformerConfig? architecture)
    {
        if (architecture is null || EncoderFiles.Find(path).Description is not null)
        {
            (EncoderFiles files, EncoderDescription description) = EncoderFiles.FindDescribed(path);
            return (architecture ?? files.Stored ?? description.Encoder, description.Preprocessing);
        }
        if (!File.Exists(EncoderFiles.Find(path).Weights)) throw new FileNotFoundException($"{path} is not there.", path);
        return (architecture, architecture.UsualPreprocessing);
    }

    /// <summary>Loads the blocks up to the last that is needed.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or a tensor is missing or of another shape; the message names each.</exception>
    public static FrozenTeacher Load(string path, VisionTransformerConfig? architecture, int lastBlock, MaePretrainOptions options, Device device)
    {
        (VisionTransformerConfig shape, ImagePreprocessing own) = Describe(path, architecture);
        VisionTransformerConfig student = options.Encoder;
        return new VisionTransformer(shape with
        {
            ImageHeight = student.GridHeight * shape.PatchSize, ImageWidth = student.GridWidth * shape.PatchSize, Depth = lastBlock + 1,
            FinalNorm = false, Fusion = null, Dropout = 0,
        }).OrDispose(model =>
        {
            ModelWeights.LoadFirstBlocks(model, EncoderFiles.Find(path).Weights, shape);
            foreach (Parameter parameter in model.parameters()) parameter.requires_grad_(false);
            model.eval();
            model.Precision = options.Precision;
            return new FrozenTeacher(model.to(device), own, options.Preprocessing, device);
        });
    }

    /// <summary>The residual streams after some blocks, without a graph.</summary>
    /// <param name="images">The student's images, <c>[batch, channels, height, width]</c>.</param>
    /// <returns>A stream for each block, class token included: <c>[batch, tokens, dim]</c>, float32.</returns>
    public IReadOnlyList<Tensor> Features(Tensor images, PatchMask mask, BlockList blocks)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor patches = Model.CutIntoPatches(Resized(images));
        mask.CheckSize(patches.size(0), patches.size(1));
        Tensor[] streams = [.. Model.Streams(patches, mask.Visible)];
        return [.. blocks.Select(block => streams[block].MoveToOuterDisposeScope())];
    }

    /// <summary>The images as the teacher wants them.</summary>
    internal Tensor Resized(Tensor images)
    {
        if (!_sameColors) images = (images * _scale).Plus(_shift);
        long[] size = [Model.Config.ImageHeight, Model.Config.ImageWidth];
        return size.AsSpan().SequenceEqual(images.shape.AsSpan(2))
            ? images : nn.functional.interpolate(images, size, mode: InterpolationMode.Bilinear, align_corners: false);
    }

    public void Dispose()
    {
        Model.Dispose();
        _scale.Dispose();
        _shift.Dispose();
    }

    private static IEnumerable<string> FitFaults(
        SafeTensorsFile file, VisionTransformerConfig shape, VisionTransformerConfig student, BlockList blocks)
    {
        if (shape.Channels != student.Channels)
            yield return $"The teacher takes images of {shape.Channels} channels, the encoder of {student.Channels}: expected the same number.";
        if (shape.GridHeight < student.GridHeight || shape.GridWidth < student.GridWidth)
            yield return $"The teacher's {shape.GridHeight}x{shape.GridWidth} patches cannot correspond to the encoder's {student.GridHeight}x"
                + $"{student.GridWidth}, one to one: expected a teacher with at least as many rows and columns.";
        foreach (string fault in blocks.Faults("Objective.TeacherBlocks", shape.Depth)) yield return fault;
        Func<string, IReadOnlyList<string>> names = WeightNames.Recognized(file).Of;
        int[] held = [.. Enumerable.Range(0, Math.Max(0, shape.Depth)).Where(b => names($"blocks.{b}.norm1.weight").All(file.Contains))];
        foreach (int block in blocks.Where(b => b >= 0 && b < shape.Depth && !held.Contains(b)))
            yield return $"Objective.TeacherBlocks names block {block}, which {file.Path} does not hold: expected "
                + (held.Length == 0 ? "a file with an encoder's blocks." : $"one of its {held.Length} blocks up to {held[^1]}.");
    }
}

/// <summary>What stands between a student's features and its teacher's (DINO, DMAE).</summary>
internal static class ProjectionHead
{
    /// <summary>
    /// Linear layers with exact GELU between them, from width to width, named <c>0</c>, <c>2</c>, <c>4</c>... All weights are 0 until somebody draws them.
    /// </summary>
    public static Sequential Create(params int[] widths)
    {
        using DisposeScope scope = NewDisposeScope();
        var layers = new List<(string, nn.Module<Tensor, Tensor>)>();
        for (int i = 1; i < widths.Length; i++)
        {
            if (i > 1) layers.Add(($"{layers.Count}", nn.GELU()));
            layers.Add(($"{layers.Count}", new Linear(widths[i - 1], widths[i])));
        }
        Sequential head = nn.Sequential([.. layers]);
        head.DetachFromDisposeScopes();
        return head;
    }
}

/// <summary>A linear layer with the weight <c>g v / |v|</c> row by row (Salimans and Kingma 2016), as PyTorch's <c>weight_norm</c> makes it.</summary>
internal sealed class WeightNormLinear : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight_g")] private Parameter _length;
    [ComponentName(Name = "weight_v")] private Parameter _direction;

    public WeightNormLinear(int inputs, int outputs, bool trainLength) : base(nameof(WeightNormLinear))
    {
        _length = new Parameter(ones(outputs, 1), requires_grad: trainLength);
        _direction = new Parameter(zeros(outputs, inputs));
        RegisterComponents();
    }

    public Parameter Direction => _direction;

    public override Tensor forward(Tensor input) => nn.functional.linear(input, _direction * (_length / _direction.norm(1, keepdim: true)));
}
