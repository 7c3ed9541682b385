using System.Text.Json;

namespace Smae.Training;

/// <summary>A ViT or ViTMAE as Hugging Face publishes it: <c>config.json</c> beside <c>model.safetensors</c>, or beside the index of several such files.</summary>
internal static class HuggingFaceModel
{
    /// <summary>The weights of an encoder and what its configuration says; null where there is none.</summary>
    /// <param name="path">The folder, or the weights in it.</param>
    /// <exception cref="InvalidDataException">The configuration is of another kind of model, or cannot be read.</exception>
    public static (string Weights, ImageEncoder.Description Description)? Find(string path)
    {
        string folder = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path))!, config = Path.Combine(folder, "config.json");
        if (!File.Exists(config) || (folder != path && File.Exists(ModelDescription.PathOf(path)))) return null;
        string? weights = folder != path ? path
            : new[] { "model.safetensors", "model.safetensors.index.json" }.Select(name => Path.Combine(path, name)).FirstOrDefault(File.Exists);
        if (weights is null)
            throw Directory.EnumerateFiles(folder, "*.bin").FirstOrDefault() is { } binary && SafeTensors.PyTorchFault(binary) is { } fault
                ? new InvalidDataException(fault) : new FileNotFoundException($"{folder} holds no model.safetensors and no model.safetensors.index.json.", folder);
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(config));
            return (weights, Describe(json.RootElement, Path.Combine(folder, "preprocessor_config.json")));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or NotSupportedException)
        {
            throw new InvalidDataException($"{config} does not describe a ViT or ViTMAE of Hugging Face's: {e.Message}", e);
        }
    }

    private static ImageEncoder.Description Describe(JsonElement config, string preprocessor)
    {
        string kind = Value(config, "model_type", e => e.GetString(), null) ?? "nothing", act = Value(config, "hidden_act", e => e.GetString(), null) ?? "gelu";
        if (kind is not ("vit" or "vit_mae")) throw new NotSupportedException($"model_type is {kind}: expected vit or vit_mae.");
        if (act is not ("gelu" or "relu")) throw new NotSupportedException($"hidden_act is {act}: expected gelu or relu.");
        if (!Value(config, "qkv_bias", e => e.GetBoolean(), true)) throw new NotSupportedException("qkv_bias is false: expected true.");
        int Int(string name, int otherwise) => Value(config, name, e => e.GetInt32(), otherwise);
        int[] image = Value<int[]>(config, "image_size", e => e.ValueKind == JsonValueKind.Array ? [.. e.EnumerateArray().Select(n => n.GetInt32())] : [e.GetInt32()], [224]);
        int dim = Int("hidden_size", 768);
        var encoder = new VisionTransformerConfig
        {
            ImageHeight = image.FirstOrDefault(), ImageWidth = image.LastOrDefault(), PatchSize = Int("patch_size", 16), Channels = Int("num_channels", 3),
            EmbedDim = dim, Depth = Int("num_hidden_layers", 12), NumHeads = Int("num_attention_heads", 12),
            MlpRatio = (double)Int("intermediate_size", 3072) / dim, LayerNormEpsilon = Value(config, "layer_norm_eps", e => e.GetDouble(), 1e-12),
            Activation = act == "gelu" ? Activation.Gelu : Activation.Relu,
            Positions = kind == "vit" ? PositionEncoding.Learned : PositionEncoding.SineCosine2D,
        };
        var preprocessing = new ImagePreprocessing
        {
            Height = encoder.ImageHeight, Width = encoder.ImageWidth, Channels = encoder.Channels, Resize = ResizeMode.Stretch,
        };
        if (File.Exists(preprocessor))
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(preprocessor));
            IReadOnlyList<float> Floats(string name, IReadOnlyList<float> otherwise) =>
                Value(json.RootElement, name, e => [.. e.EnumerateArray().Select(n => n.GetSingle())], otherwise);
            preprocessing = preprocessing with
            {
                Mean = Floats("image_mean", preprocessing.Mean), StandardDeviation = Floats("image_std", preprocessing.StandardDeviation),
            };
        }
        return new(encoder, preprocessing, kind == "vit" ? Pooling.ClassToken : Pooling.Mean);
    }

    private static T Value<T>(JsonElement json, string name, Func<JsonElement, T> read, T otherwise) =>
        json.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? read(value) : otherwise;
}
