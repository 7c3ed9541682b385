using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Smae.Training;

namespace Smae.Export;

/// <summary>What an ONNX file of Smae tells about itself.</summary>
public sealed record OnnxModelInfo
{
    internal const string Producer = "Smae";

    private OnnxModelInfo()
    {
    }

    /// <summary>What the file holds.</summary>
    public required OnnxModelKind Kind { get; init; }

    /// <summary>What is done to an image first. The file itself normalises raw pixels; decoding and resizing are left.</summary>
    public required ImagePreprocessing Preprocessing { get; init; }

    /// <summary>What the file takes for an image.</summary>
    public required OnnxInput Input { get; init; }

    /// <summary>The number format of weights and products.</summary>
    public required OnnxPrecision Precision { get; init; }

    /// <summary>Which operators the file is made of.</summary>
    public required OnnxFlavor Flavor { get; init; }

    /// <summary>Height and width of a patch in pixels; null where there are none, in a SqueezeNet.</summary>
    public required int? PatchSize { get; init; }

    /// <summary>Patches in an image: <c>Height / PatchSize * (Width / PatchSize)</c>; 0 where there are none.</summary>
    public int PatchCount => PatchSize is { } side ? Preprocessing.Height / side * (Preprocessing.Width / side) : 0;

    /// <summary>Width of the encoder's tokens; null where there are none, in a SqueezeNet.</summary>
    public required int? EmbedDim { get; init; }

    /// <summary>
    /// Where the encoder's class token stands among its tokens; null where there are no tokens, in a SqueezeNet, and in files of versions that did not write it.
    /// </summary>
    public required ClassToken? ClassToken { get; init; }

    /// <summary>How tokens become a vector; null where they stay tokens.</summary>
    public required Pooling? Pooling { get; init; }

    /// <summary>Names of a classifier's classes in the order of its output; null where there are none.</summary>
    public required IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>The SHA-256 of the weights that were exported: their names, types, shapes and numbers.</summary>
    public required string WeightsHash { get; init; }

    /// <summary>The version of Smae that exported the file.</summary>
    public required string SmaeVersion { get; init; }

    /// <summary>The largest absolute difference from TorchSharp in float32 that was found when the file was made.</summary>
    public required double MaxDifference { get; init; }

    /// <summary>What was allowed of it, as a share of the output's largest magnitude.</summary>
    public required double Tolerance { get; init; }

    /// <summary>Name of the input of images.</summary>
    public required string InputName { get; init; }

    /// <summary>Name of the input of masks, <c>[batch, patches]</c>, uint8; null where there is none.</summary>
    public required string? MaskName { get; init; }

    /// <summary>The outputs, the main one first: names, and dimensions after the batch.</summary>
    public required IReadOnlyList<OnnxOutputInfo> Outputs { get; init; }

    /// <summary>Reads what a file tells about itself. Its weights are passed over.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is not an ONNX file, it is truncated, or it is not from Smae; the message says which.</exception>
    public static OnnxModelInfo Read(string path)
    {
        using FileStream stream = File.OpenRead(Existing(path));
        using var coded = new CodedInputStream(stream);
        return Parse(path, coded);
    }

    /// <summary>The path of a file that is there.</summary>
    internal static string Existing(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return File.Exists(path) ? path
            : throw new FileNotFoundException($"{path} is {(Directory.Exists(path) ? "a folder" : "not there")}: expected an ONNX file.", path);
    }

    internal static OnnxModelInfo Parse(string path, CodedInputStream stream)
    {
        OnnxModelInfo? own = ParseOwn(path, stream, out string producer);
        return own ?? throw new InvalidDataException($"{path} was made by '{producer}' and not by Smae's ExportOnnx: its input is not known.");
    }

    /// <summary>What a file tells about itself; null where another program made it.</summary>
    internal static OnnxModelInfo? ParseOwn(string path, CodedInputStream stream, out string producer)
    {
        InvalidDataException Unreadable(string why, Exception? inner = null) => new($"{path} is not an ONNX file, or it is truncated: {why}", inner);
        ModelHeader header;
        try { header = ModelHeader.Parser.WithDiscardUnknownFields(true).ParseFrom(stream); }
        catch (InvalidProtocolBufferException e) { throw Unreadable(e.Message, e); }
        if (header.Graph is null || !header.HasIrVersion) throw Unreadable("it holds no graph.");
        if ((producer = header.ProducerName) != Producer) return null;
        (GraphHeader graph, var metadata) = (header.Graph, new Metadata(path, header.MetadataProps));
        if (graph.Input.Count == 0 || graph.Output.Count == 0) throw metadata.Damaged("its graph has no input or no output");
        return new OnnxModelInfo
        {
            Kind = metadata.Choice<OnnxModelKind>(MetadataKeys.Kind),
            Preprocessing = new ImagePreprocessing
            {
                Height = metadata.Integer(MetadataKeys.Height),
                Width = metadata.Integer(MetadataKeys.Width),
                Channels = metadata.Integer(MetadataKeys.Channels),
                Resize = metadata.Choice<ResizeMode>(MetadataKeys.Resize),
                Orientation = metadata.Has(MetadataKeys.Orientation) ? metadata.Choice<ImageOrientation>(MetadataKeys.Orientation) : ImageOrientation.Upright,
                Background = metadata.Has(MetadataKeys.Background) ? metadata.Numbers(MetadataKeys.Background) : [1, 1, 1],
                Mean = metadata.Numbers(MetadataKeys.Mean),
                StandardDeviation = metadata.Numbers(MetadataKeys.Deviation),
            },
            Input = metadata.Choice<OnnxInput>(MetadataKeys.Input),
            Precision = metadata.Choice<OnnxPrecision>(MetadataKeys.Precision),
            Flavor = metadata.Choice<OnnxFlavor>(MetadataKeys.Flavor),
            PatchSize = metadata.Has(MetadataKeys.PatchSize) ? metadata.Integer(MetadataKeys.PatchSize) : null,
            EmbedDim = metadata.Has(MetadataKeys.EmbedDim) ? metadata.Integer(MetadataKeys.EmbedDim) : null,
            ClassToken = metadata.Has(MetadataKeys.ClassToken) ? metadata.Choice<ClassToken>(MetadataKeys.ClassToken) : null,
            Pooling = metadata.Has(MetadataKeys.Pooling) ? metadata.Choice<Pooling>(MetadataKeys.Pooling) : null,
            ClassNames = metadata.Has(MetadataKeys.ClassNames) ? metadata.Json<string[]>(MetadataKeys.ClassNames) : null,
            WeightsHash = metadata.Text(MetadataKeys.WeightsHash),
            SmaeVersion = metadata.Text(MetadataKeys.Version),
            MaxDifference = metadata.Number(MetadataKeys.MaxDifference),
            Tolerance = metadata.Number(MetadataKeys.Tolerance),
            InputName = graph.Input[0].Name,
            MaskName = graph.Input.Count > 1 ? graph.Input[1].Name : null,
            Outputs = [.. graph.Output.Select(o => new OnnxOutputInfo(o.Name, Shape(o)))],
        };
    }

    private static int[] Shape(ValueInfoProto value) => [.. value.Type.TensorType.Shape.Dim.Skip(1).Select(d => (int)d.DimValue)];

    /// <summary>The metadata of a file, and errors that name it.</summary>
    private sealed class Metadata(string path, IEnumerable<StringStringEntryProto> entries)
    {
        private readonly Dictionary<string, string> _values = entries.GroupBy(e => e.Key).ToDictionary(g => g.Key, g => g.First().Value);
        public InvalidDataException Damaged(string why) => new($"{path} is damaged: {why}.");
        public bool Has(string key) => _values.ContainsKey(key);
        public string Text(string key) => _values.TryGetValue(key, out string? value) ? value : throw Damaged($"its metadata lacks '{key}'");

        public int Integer(string key) =>
            int.TryParse(Text(key), NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value > 0
                ? value : throw Wrong(key, "a positive whole number");

        public double Number(string key) =>
            double.TryParse(Text(key), CultureInfo.InvariantCulture, out double value) ? value : throw Wrong(key, "a number");

        /// <summary>A list such as <c>[0.5,0.25]</c>. System.Text.Json would have a cold process compile over a hundred methods for it.</summary>
        public float[] Numbers(string key)
        {
            string text = Text(key);
            if (text is not ['[', .., ']']) throw Wrong(key, "a list of numbers");
            return [.. text[1..^1].Split(',').Select(item =>
                float.TryParse(item, CultureInfo.InvariantCulture, out float value) && float.IsFinite(value) ? value : throw Wrong(key, "a list of numbers"))];
        }

        public T Choice<T>(string key) where T : struct, Enum =>
            Enum.TryParse(Text(key), out T value) && Enum.IsDefined(value)
                ? value : throw Wrong(key, $"one of {string.Join(", ", Enum.GetNames<T>())}");

        public T Json<T>(string key) where T : class
        {
            try { return JsonSerializer.Deserialize<T>(Text(key)) ?? throw Wrong(key, "a list"); }
            catch (JsonException e) { throw Wrong(key, $"a list ({e.Message})"); }
        }

        private InvalidDataException Wrong(string key, string expected) => Damaged($"its '{key}' is '{Text(key)}', expected {expected}");
    }
}

/// <summary>What an ONNX file of Smae holds.</summary>
public enum OnnxModelKind
{
    /// <summary>Images to embeddings or tokens.</summary>
    Encoder,

    /// <summary>Images to probabilities of classes.</summary>
    Classifier,

    /// <summary>Images and masks to reconstructions.</summary>
    Autoencoder,
}

/// <summary>An output of an ONNX file: its name, and its dimensions after the batch.</summary>
public sealed record OnnxOutputInfo(string Name, IReadOnlyList<int> Shape)
{
    /// <summary>Numbers for an image.</summary>
    public int Length => Shape.Aggregate(1, (a, b) => a * b);
}

/// <summary>The names of what a file tells about itself (<c>metadata_props</c>), and values that more than one kind of model writes.</summary>
internal static class MetadataKeys
{
    public const string Kind = "kind", Height = "height", Width = "width", Channels = "channels", Mean = "mean", Deviation = "deviation",
        Resize = "resize", Orientation = "orientation", Background = "background", Input = "input", PatchSize = "patch_size", EmbedDim = "embed_dim",
        Precision = "precision", Flavor = "flavor",
        ClassToken = "class_token", Pooling = "pooling", Output = "output", ClassNames = "class_names", WeightsHash = "weights_sha256", Version = "smae_version",
        MaxDifference = "max_difference", Tolerance = "tolerance";

    public static IEnumerable<(string Key, string Value)> Of(ImagePreprocessing preprocessing)
    {
        static string Numbers(IReadOnlyList<float> list) => $"[{string.Join(",", list.Select(n => n.ToString("R", CultureInfo.InvariantCulture)))}]";
        return
        [
            (Height, $"{preprocessing.Height}"), (Width, $"{preprocessing.Width}"), (Channels, $"{preprocessing.Channels}"),
            (Mean, Numbers(preprocessing.Mean)), (Deviation, Numbers(preprocessing.StandardDeviation)), (Resize, $"{preprocessing.Resize}"),
            (Orientation, $"{preprocessing.Orientation}"), (Background, Numbers(preprocessing.Background)),
        ];
    }

    public static IEnumerable<(string Key, string Value)> Of(VisionTransformerConfig config) =>
        [(PatchSize, $"{config.PatchSize}"), (EmbedDim, $"{config.EmbedDim}"), (ClassToken, $"{config.ClassToken}")];

    public static IEnumerable<(string Key, string Value)> Of(IReadOnlyList<string>? classNames) =>
        classNames is null ? [] : [(ClassNames, JsonSerializer.Serialize(classNames))];
}
