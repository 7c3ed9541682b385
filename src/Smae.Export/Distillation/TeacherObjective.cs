using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Security.Cryptography;
using Smae.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Export;

/// <summary>Objectives that need ONNX Runtime; they are named beside those of <see cref="Objective"/>.</summary>
public static class OnnxObjectives
{
    extension(Objective)
    {
        /// <summary>Distillation from a model of any make: the encoder learns to predict embedding and patch tokens that a frozen teacher gives.</summary>
        /// <param name="teacher">
        /// An ONNX file that takes images (DINOv2, CLIP's image part, a convolutional network, an encoder of Smae), or an encoder as
        /// <see cref="ImageEncoder.Load"/> takes it.
        /// </param>
        public static TeacherObjective DistilledFrom(string teacher) => new(teacher);
    }
}

/// <summary>
/// Distillation from a model of any make: the encoder looks at whole images and learns to predict, through a head, what a frozen teacher gives for the same
/// images: the embedding and, where the teacher gives tokens or a feature map, each patch. The loss is one minus the cosine, its mean over patches. Where
/// <see cref="Pixels"/> is set, MAE's loss over hidden patches is added, by a second look of the encoder at the visible ones.
/// </summary>
/// <remarks>
/// <para>
/// The teacher sees the encoder's images, resized to its own size (bilinear, half-pixel centres). Where the run has no augmentation they are the same in every
/// epoch, and the teacher looks at each image once: see <see cref="Cache"/>. With one, it looks at the very views that the encoder sees, in every step.
/// </para>
/// <para>
/// The head is thrown away after the run. A teacher of two or more outputs gives its first vector for the embedding and its first tokens or feature map for the
/// patches. Patches of another grid are resized to the encoder's (bilinear). Images are put before the teacher one at a time on a CPU, on all cores, so that
/// what it gives does not depend on the batch, and a resumed run is the run that never stopped; on a GPU that holds but for rounding.
/// </para>
/// </remarks>
public sealed record TeacherObjective : Objective
{
    internal TeacherObjective(string teacher)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        Teacher = teacher;
    }

    /// <summary>The teacher's file: ONNX if its name ends in <c>.onnx</c>, else an encoder as <see cref="ImageEncoder.Load"/> takes it.</summary>
    public string Teacher { get; }

    /// <summary>The only output of an ONNX file that is used: a vector, tokens or a feature map. Default null: those that fit.</summary>
    public string? OutputName { get; init; }

    /// <summary>
    /// How the embedding is made of tokens or a feature map. Default null: the teacher's own vector where it gives one, or its own way where it is known, else
    /// the class token, else the mean.
    /// </summary>
    public Pooling? TeacherPooling { get; init; }

    /// <summary>
    /// Size of the images that the teacher takes, and the mean and deviation of their channels on a scale of 0 to 1; of no account for bytes. Default null: the
    /// size that the file names, else 224x224; what a file of Smae says of colours, else ImageNet's statistics.
    /// </summary>
    public ImagePreprocessing? Preprocessing { get; init; }

    /// <summary>What the distance of the patches is multiplied by; that of the embedding counts once. 0 leaves them out. Default 1.</summary>
    [Range(0, double.MaxValue)] public double PatchWeight { get; init; } = 1;

    /// <summary>The head that brings the encoder's features to the teacher's width, one for embedding and one for patches. Default linear.</summary>
    public FeatureProjection Projection { get; init; } = FeatureProjection.Linear;

    /// <summary>The pixel loss beside the distances. Default null: none, there is no decoder and nothing is hidden.</summary>
    public PixelObjective? Pixels { get; init; }

    /// <summary>What the pixel loss is multiplied by. Default 1.</summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] public double PixelWeight { get; init; } = 1;

    /// <summary>
    /// Where the teacher's answers are kept from the first epoch on, in runs without augmentation, as 16-bit numbers: <c>D + patches * D</c> of them for an
    /// image. Null asks the teacher anew in each epoch. Default as decoded images: in memory, beyond a budget in a temporary file.
    /// </summary>
    public ImageCacheOptions? Cache { get; init; } = new();

    /// <summary>Where ONNX Runtime computes. Default <see cref="OnnxDevice.Cpu"/>. A teacher that is no ONNX file is where the encoder is.</summary>
    public OnnxDevice Device { get; init; }

    /// <summary>Which GPU ONNX Runtime computes on, counted from 0. Default 0.</summary>
    [Range(0, int.MaxValue)] public int DeviceId { get; init; }

    /// <inheritdoc/>
    public override DecoderTarget Target => Pixels is null ? DecoderTarget.None : DecoderTarget.Pixels;

    /// <inheritdoc/>
    public override PixelObjective? PixelTarget => Pixels;

    /// <inheritdoc/>
    protected override string Identity
    {
        get
        {
            string Colors(IReadOnlyList<float> values) => string.Join(',', values.Select(v => v.ToString("R", CultureInfo.InvariantCulture)));
            string given = Preprocessing is { } p ? $"{p.Height}x{p.Width} {Colors(p.Mean)} {Colors(p.StandardDeviation)}" : "";
            return $"{(this with { Preprocessing = null, Cache = null, Device = OnnxDevice.Cpu, DeviceId = 0 }).Settings} {given} {Hash()}";
        }
    }

    private string Settings => base.Identity;

    /// <inheritdoc/>
    protected override IEnumerable<string> Faults(MaePretrainOptions options)
    {
        string[] settings =
        [
            .. Expect(Teacher, !string.IsNullOrWhiteSpace(Teacher), "an ONNX file or an encoder's weights"),
            .. Expect(OutputName, OutputName is null || !string.IsNullOrWhiteSpace(OutputName), "a name, or null"),
            .. Preprocessing?.Faults().Select(fault => $"Objective.Preprocessing: {fault}") ?? [],
            .. Pixels is null ? [] : Rules.Faults(Pixels, "Objective.Pixels."),
            .. Cache is null ? [] : Rules.Faults(Cache, "Objective.Cache."),
        ];
        if (settings.Length > 0) return settings;
        LibTorch.Require();
        try
        {
            using var teacher = Export.Teacher.Open(this, options, CPU);
            return [];
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or InvalidOperationException or ArgumentException)
        {
            return [$"Objective.Teacher: {e.Message}"];
        }
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">The teacher cannot be used; the message says why.</exception>
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) => new Run(this, model, options, device);

    /// <summary>Of all that the teacher is read from.</summary>
    private string Hash()
    {
        string[] files = Directory.Exists(Teacher)
            ? [.. Directory.GetFiles(Teacher, "*.safetensors").Concat(Directory.GetFiles(Teacher, "*.json")).Order(StringComparer.Ordinal)] : [Teacher];
        return string.Join(' ', files.Select(file =>
        {
            using FileStream stream = File.OpenRead(file);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }));
    }

    private sealed class Run : ObjectiveRun
    {
        private readonly TeacherObjective _objective;
        private readonly MaskedAutoencoder _model;
        private readonly Pooling _pooling;
        private readonly TokenLayout _tokens;
        private readonly Teacher _teacher;
        private readonly TeacherMemory? _memory;
        private readonly Sequential _embedding;
        private readonly Sequential? _patches;
        private readonly ObjectiveRun? _pixels;

        public Run(TeacherObjective objective, MaskedAutoencoder model, MaePretrainOptions options, Device device)
        {
            (_objective, _model, _pooling) = (objective, model, options.Pooling);
            _tokens = TokenLayout.Of(model.Config);
            _teacher = Own(Export.Teacher.Open(objective, options, device));
            if (objective.Cache is { } cache && options.Augmentation is null) _memory = Own(new TeacherMemory(_teacher.Answer.Length, cache));
            using var generator = new Generator(unchecked((ulong)(options.Seed ?? 0) * 31 + 3));
            Sequential Head(int outputs) => Own(NewHead(model.Config.EmbedDim, outputs, objective.Projection, generator).to(device));
            _embedding = Head(_teacher.Answer.EmbeddingDim);
            if (_teacher.Answer.PatchDim > 0) _patches = Head(_teacher.Answer.PatchDim);
            _pixels = objective.Pixels is { } pixels ? Own(pixels.Begin(model, options, device)) : null;
        }

        public override IReadOnlyList<Parameter> Parameters => [.. _embedding.parameters(), .. _patches?.parameters() ?? []];

        public override IEnumerable<(string Name, Tensor Tensor)> State => Named(_embedding, "embedding").Concat(Named(_patches, "patches"));

        public override bool IsMeanOverImages => true;

        public override bool EncodesHidden => true;

        public override void BatchReady(PretrainBatch batch) => batch.Targets = _memory is null
            ? _teacher.Ask(batch.Images)
            : _memory.Recall(batch.Indices.Span, unknown => _teacher.Ask(batch.Images.index_select(0, tensor(unknown).Upload(batch.Images.device))));

        public override Tensor Loss(PretrainBatch batch)
        {
            (Tensor embedding, Tensor? patches) = _teacher.Answer.Split(batch.Targets!.to(batch.Images.device).to_type(ScalarType.Float32));
            Tensor tokens = _model.Encoder.forward(batch.Images);
            Tensor loss = Distance(_embedding.forward(_model.Encoder.Pool(tokens, _pooling)), embedding);
            if (_patches is not null) loss = loss.Plus(Distance(_patches.forward(_tokens.Patches(tokens)), patches!).Times(_objective.PatchWeight));
            if (_pixels is not null) loss = loss.Plus(_pixels.Loss(batch).Times(_objective.PixelWeight));
            return loss;
        }

        /// <summary>A linear layer, or two with exact GELU between them; Xavier uniform, biases 0.</summary>
        private static Sequential NewHead(int inputs, int outputs, FeatureProjection projection, Generator generator)
        {
            Linear Layer(int from, int to)
            {
                Linear layer = nn.Linear(from, to);
                using var noGrad = no_grad();
                double bound = Math.Sqrt(6.0 / (from + to));
                layer.weight.uniform_(-bound, bound, generator);
                layer.bias!.zero_();
                return layer;
            }
            return projection == FeatureProjection.Linear
                ? nn.Sequential(("0", Layer(inputs, outputs)))
                : nn.Sequential(("0", Layer(inputs, outputs)), ("1", nn.GELU()), ("2", Layer(outputs, outputs)));
        }

        /// <summary>One minus the cosine, its mean over all vectors; <paramref name="unit"/> are of length 1.</summary>
        private static Tensor Distance(Tensor predicted, Tensor unit) => (nn.functional.normalize(predicted, dim: -1) * unit).sum(-1).mean().SubtractedFrom(1);

        private static IEnumerable<(string, Tensor)> Named(Sequential? head, string name) =>
            head?.named_parameters().Select(p => ($"{name}.{p.name}", (Tensor)p.parameter)) ?? [];
    }
}

/// <summary>A teacher's rows for the images that it has seen: in memory, and beyond a budget in a temporary file.</summary>
/// <param name="length">Numbers of a row.</param>
internal sealed class TeacherMemory(int length, ImageCacheOptions cache) : IDisposable
{
    private readonly ImageStore _rows = new(height: 1, width: length, channels: sizeof(ushort), cache);   // a row is an image of its bytes
    private readonly Dictionary<long, long> _places = [];

    /// <summary>The rows of some images.</summary>
    /// <param name="images">The images, by the numbers that they have in every epoch.</param>
    /// <param name="ask">Gives the rows of those of them that are not known yet, by their places among <paramref name="images"/>.</param>
    /// <returns><c>[images, length]</c>, float16, on the CPU.</returns>
    public Tensor Recall(ReadOnlySpan<long> images, Func<long[], Tensor> ask)
    {
        var unknown = new List<long>();
        for (int i = 0; i < images.Length; i++)
            if (!_places.ContainsKey(images[i])) unknown.Add(i);
        if (unknown.Count > 0)
        {
            using Tensor made = ask([.. unknown]), rows = made.cpu().contiguous();
            for (int i = 0; i < unknown.Count; i++)
            {
                _rows.Add(Row(rows, i));
                _places[images[(int)unknown[i]]] = _rows.Count - 1;
            }
        }
        Tensor known = empty([images.Length, length], ScalarType.Float16);
        for (int i = 0; i < images.Length; i++) _rows[_places[images[i]]].CopyTo(Row(known, i));
        return known;
    }

    public void Dispose() => _rows.Dispose();

    private Span<byte> Row(Tensor rows, int index) => rows.bytes.Slice(index * length * sizeof(ushort), length * sizeof(ushort));
}
