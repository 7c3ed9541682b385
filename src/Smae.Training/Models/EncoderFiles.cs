namespace Smae.Training;

/// <summary>How an encoder is shaped and used: what the JSON file beside its weights holds.</summary>
internal sealed record EncoderDescription(VisionTransformerConfig Encoder, ImagePreprocessing Preprocessing, Pooling Pooling);

/// <summary>An encoder's weights on disk and what the files beside them say: Smae's description, or the <c>config.json</c> of Hugging Face's hub.</summary>
/// <param name="Weights">A safetensors file, or the index of several.</param>
/// <param name="Description">How the encoder is used; null where nothing says.</param>
/// <param name="Stored">The shape that the weights are for, which may be that of larger images than it is used for; null where nothing says.</param>
internal sealed record EncoderFiles(string Weights, EncoderDescription? Description, VisionTransformerConfig? Stored)
{
    /// <summary>Looks what there is.</summary>
    /// <param name="path">The weights, or a folder with them.</param>
    /// <exception cref="FileNotFoundException">The folder holds no weights.</exception>
    /// <exception cref="InvalidDataException">
    /// What describes the weights describes another kind of model or cannot be read, or the weights are a file of another format.
    /// </exception>
    public static EncoderFiles Find(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string weights = Directory.Exists(path) ? InFolder(path) : path;
        if (File.Exists(ModelDescription.PathOf(weights)))
        {
            EncoderDescription own = Described(weights);
            return new(weights, own, own.Encoder);
        }
        return HuggingFaceModel.Describe(weights) is var (description, stored) ? new(weights, description, stored) : new(weights, null, null);
    }

    /// <summary>What there is, with a description.</summary>
    /// <param name="path">The weights, or a folder with them.</param>
    /// <exception cref="FileNotFoundException">The weights are not there, or nothing that describes them.</exception>
    /// <exception cref="InvalidDataException">See <see cref="Find"/>.</exception>
    public static (EncoderFiles Files, EncoderDescription Description) FindDescribed(string path)
    {
        EncoderFiles files = Find(path);
        string config = HuggingFaceModel.ConfigurationOf(files.Weights);
        if (files.Description is null && File.Exists(config))
            throw new InvalidDataException($"{config} has neither model_type nor architecture: it describes no encoder, and no .json file beside {files.Weights} does.");
        return (files, files.Description ?? Described(files.Weights));   // which says what is missing
    }

    private static EncoderDescription Described(string weights) => ModelDescription.Load<EncoderDescription>(weights, "an encoder");

    private static string InFolder(string folder)
    {
        string[] published = [.. new[] { "model.safetensors", "model.safetensors.index.json" }.Select(name => Path.Combine(folder, name)).Where(File.Exists)];
        if (published.Length > 0) return published[0];
        if (Directory.GetFiles(folder, "*.safetensors") is [string only]) return only;
        string[] others = [.. new[] { "*.bin", "*.pth", "*.pt" }.SelectMany(pattern => Directory.EnumerateFiles(folder, pattern))];
        throw others.Select(SafeTensors.OtherFormat).FirstOrDefault(f => f is not null) is { } fault ? new InvalidDataException(fault)
            : new FileNotFoundException($"{folder} holds no model.safetensors, no model.safetensors.index.json and not just one other safetensors file.", folder);
    }
}
