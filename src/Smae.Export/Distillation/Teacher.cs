using Smae.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Export;

/// <summary>A frozen model: what it gives for images as rows of numbers, which a student is to predict.</summary>
internal abstract class Teacher : IDisposable
{
    private const int ImagesAtOnce = 64;   // that are resized to the teacher's size: of 224x224 pixels 37 MiB
    private readonly Tensor _studentMean, _studentDeviation, _mean, _deviation;
    private readonly long[] _size, _grid;

    /// <param name="own">The size and colours of images that it takes.</param>
    /// <param name="embeddingDim">Numbers of its embedding.</param>
    /// <param name="patchDim">Numbers of each of its patches; 0 where there are none.</param>
    protected Teacher(ImagePreprocessing own, int embeddingDim, int patchDim, MaePretrainOptions options, Device device)
    {
        VisionTransformerConfig student = options.Encoder;
        Answer = new TeacherAnswer(embeddingDim, patchDim, student.PatchCount);
        (_size, _grid) = ([own.Height, own.Width], [student.GridHeight, student.GridWidth]);
        (_studentMean, _studentDeviation) = (Channels(options.Preprocessing.Mean, device), Channels(options.Preprocessing.StandardDeviation, device));
        (_mean, _deviation) = (Channels(own.Mean, device), Channels(own.StandardDeviation, device));
    }

    /// <summary>What a row holds.</summary>
    public TeacherAnswer Answer { get; }

    /// <summary>Opens the teacher of an objective.</summary>
    /// <param name="device">Where the student is.</param>
    /// <exception cref="InvalidDataException">It cannot be used, or not by this student; the message says why.</exception>
    public static Teacher Open(TeacherObjective objective, MaePretrainOptions options, Device device) =>
        objective.Teacher.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase)
            ? OnnxTeacher.Open(objective, options, device) : EncoderTeacher.Open(objective, options, device);

    /// <summary>What the teacher gives for a student's images.</summary>
    /// <param name="images">As the student sees them, <c>[batch, channels, height, width]</c>, float32.</param>
    /// <returns>A row for each, <c>[batch, Answer.Length]</c>, float16.</returns>
    public Tensor Ask(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        List<Tensor> rows = [];
        for (long from = 0, count = images.size(0); from < count; from += ImagesAtOnce)
        {
            using DisposeScope part = NewDisposeScope();
            Tensor units = (images.narrow(0, from, Math.Min(ImagesAtOnce, count - from)) * _studentDeviation).Plus(_studentMean);
            (Tensor embedding, Tensor? map) = Look(Resized(units, _size));
            rows.Add(Answer.Join(embedding, map is null ? null : Resized(map, _grid).flatten(2).transpose(1, 2)).MoveToOuterDisposeScope());
        }
        return cat(rows, 0).MoveToOuterDisposeScope();
    }

    public virtual void Dispose()
    {
        foreach (Tensor part in (Tensor[])[_studentMean, _studentDeviation, _mean, _deviation]) part.Dispose();
    }

    /// <summary>What the teacher gives for images of its size on a scale of 0 to 1, <c>[batch, channels, height, width]</c>.</summary>
    /// <returns>The embedding, <c>[batch, dim]</c>, and, where <see cref="Answer"/> has patches, their map, <c>[batch, dim, rows, columns]</c>.</returns>
    protected abstract (Tensor Embedding, Tensor? Map) Look(Tensor units);

    /// <summary>Images on a scale of 0 to 1 with the teacher's mean and deviation.</summary>
    protected Tensor Normalized(Tensor units) => (units - _mean) / _deviation;

    /// <exception cref="InvalidDataException">The teacher's images have other channels than the student's, or than the user says of them.</exception>
    protected static void CheckChannels(int own, TeacherObjective objective, MaePretrainOptions options)
    {
        if (own != options.Encoder.Channels)
            throw new InvalidDataException(
                $"{objective.Teacher} takes images of {own} channels, the encoder of {options.Encoder.Channels}: expected the same number.");
        if (objective.Preprocessing is { } given && given.Channels != own)
            throw new InvalidDataException($"{objective.Teacher} takes images of {own} channels, Objective.Preprocessing has {given.Channels}.");
    }

    private static Tensor Channels(IReadOnlyList<float> values, Device device) =>
        tensor(values.ToArray(), [1, values.Count, 1, 1], device: device).DetachFromDisposeScope();

    private static Tensor Resized(Tensor images, long[] size) => images.shape.AsSpan(2).SequenceEqual(size)
        ? images : nn.functional.interpolate(images, size, mode: InterpolationMode.Bilinear, align_corners: false);
}

/// <summary>What a teacher gives for an image as one row: a unit vector for the embedding, then one for each patch of the student's grid, if any.</summary>
internal sealed record TeacherAnswer(int EmbeddingDim, int PatchDim, int PatchCount)
{
    public int Length { get; } = checked(EmbeddingDim + PatchDim * PatchCount);

    /// <summary>Rows of embeddings, <c>[batch, dim]</c>, and patches, <c>[batch, patches, dim]</c>, brought to length 1: float16.</summary>
    public Tensor Join(Tensor embedding, Tensor? patches)
    {
        Tensor unit = nn.functional.normalize(embedding.to_type(ScalarType.Float32), dim: -1);
        if (patches is not null) unit = cat([unit, nn.functional.normalize(patches.to_type(ScalarType.Float32), dim: -1).flatten(1)], 1);
        return unit.to_type(ScalarType.Float16);
    }

    public (Tensor Embedding, Tensor? Patches) Split(Tensor rows) =>
        (rows.narrow(1, 0, EmbeddingDim), PatchDim == 0 ? null : rows.narrow(1, EmbeddingDim, Length - EmbeddingDim).reshape(-1, PatchCount, PatchDim));
}

/// <summary>Where the patches, row by row, and the class token stand among the tokens of an image. Others (registers) stand between the two.</summary>
internal sealed record TokenLayout(int Height, int Width, int FirstPatch, int? ClassToken)
{
    private const int MostOthers = 9;   // a class token and eight registers

    public static TokenLayout Of(VisionTransformerConfig config)
    {
        (int rows, int columns) = (config.GridHeight, config.GridWidth);
        return config.ClassToken switch
        {
            Training.ClassToken.First => new(rows, columns, config.PrefixTokens, 0),
            Training.ClassToken.Last => new(rows, columns, config.PrefixTokens, config.TokenCount - 1),
            _ => new(rows, columns, config.PrefixTokens, null),
        };
    }

    /// <summary>
    /// The layout of a file's tokens: as the file says, or the largest grid of square patches that leaves few tokens over, the class token first of these.
    /// </summary>
    /// <returns>Null where the tokens form no grid.</returns>
    public static TokenLayout? Of(int tokens, int height, int width, OnnxModelInfo? file)
    {
        for (int patch = file?.PatchSize ?? 1; patch <= Math.Min(height, width); patch++)
        {
            if (height % patch != 0 || width % patch != 0) continue;
            (int rows, int columns) = (height / patch, width / patch);
            int others = tokens - rows * columns;
            if (others < 0) continue;
            if (others > MostOthers) return null;
            return file?.ClassToken == Training.ClassToken.Last && others > 0
                ? new(rows, columns, others - 1, tokens - 1)
                : new(rows, columns, others, others > 0 && file?.ClassToken != Training.ClassToken.None ? 0 : null);
        }
        return null;
    }

    /// <summary>The patches among tokens, <c>[batch, tokens, dim]</c>.</summary>
    public Tensor Patches(Tensor tokens) => tokens.narrow(1, FirstPatch, Height * Width);

    /// <summary>The same as a map, <c>[batch, dim, rows, columns]</c>.</summary>
    public Tensor Map(Tensor tokens) => Patches(tokens).transpose(1, 2).reshape(tokens.size(0), tokens.size(2), Height, Width);

    /// <summary>One vector for each image; null is the class token where there is one.</summary>
    public Tensor Pool(Tensor tokens, Pooling? pooling) =>
        pooling != Pooling.Mean && ClassToken is { } place ? tokens.select(1, place) : Patches(tokens).mean([1]);
}

/// <summary>An encoder of TorchSharp's as a teacher.</summary>
internal sealed class EncoderTeacher : Teacher
{
    private readonly ImageEncoder _encoder;
    private readonly TokenLayout _tokens;
    private readonly Pooling _pooling;

    private EncoderTeacher(ImageEncoder encoder, TeacherObjective objective, MaePretrainOptions options, Device device)
        : base(objective.Preprocessing ?? encoder.Preprocessing, encoder.EmbedDim, objective.PatchWeight > 0 ? encoder.EmbedDim : 0, options, device)
    {
        (_encoder, _tokens) = (encoder, TokenLayout.Of(encoder.Model.Config));
        _pooling = objective.TeacherPooling ?? encoder.Pooling;
        encoder.Model.Precision = options.Precision;
    }

    public static new EncoderTeacher Open(TeacherObjective objective, MaePretrainOptions options, Device device)
    {
        var encoder = ImageEncoder.Load(objective.Teacher, device);
        try
        {
            (string path, VisionTransformerConfig config) = (objective.Teacher, encoder.Model.Config);
            CheckChannels(config.Channels, objective, options);
            if (objective.OutputName is { } name)
                throw new InvalidDataException($"{path} is no ONNX file and has no output '{name}': expected OutputName to be null.");
            if (objective.TeacherPooling == Pooling.ClassToken && config.ClassToken == ClassToken.None)
                throw new InvalidDataException($"{path} has no class token: expected TeacherPooling to be Mean or null.");
            if (objective.Preprocessing is { } given && (given.Height, given.Width) != (config.ImageHeight, config.ImageWidth))
                throw new InvalidDataException(
                    $"{path} takes images of {config.ImageHeight}x{config.ImageWidth}, Objective.Preprocessing gives {given.Height}x{given.Width}.");
            return new EncoderTeacher(encoder, objective, options, device);
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    protected override (Tensor Embedding, Tensor? Map) Look(Tensor units)
    {
        Tensor images = Normalized(units);
        Tensor tokens = _encoder.Device.type != DeviceType.CPU
            ? _encoder.Model.forward(images)
            : cat([.. Enumerable.Range(0, (int)images.size(0)).Select(i => _encoder.Model.forward(images.narrow(0, i, 1)))], 0);
        return (_tokens.Pool(tokens, _pooling), Answer.PatchDim > 0 ? _tokens.Map(tokens) : null);
    }

    public override void Dispose()
    {
        base.Dispose();
        _encoder.Dispose();
    }
}
