using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// Weights of models in safetensors files, under the names of timm and facebookresearch/mae: files published for them load here, ours load there.
/// </summary>
public static class ModelWeights
{
    // What published files hold beside an encoder: MAE's decoder, a classifier.
    private static readonly string[] s_besideEncoder = ["decoder_", "mask_token", "head.", "fc_norm."];

    /// <summary>Names and tensors of an encoder.</summary>
    /// <param name="model">The encoder.</param>
    public static IEnumerable<(string Name, Tensor Tensor)> Of(VisionTransformer model) => Named(model);

    /// <summary>Names and tensors of an autoencoder; encoder and decoder stand side by side, as in facebookresearch/mae.</summary>
    /// <param name="model">The autoencoder.</param>
    public static IEnumerable<(string Name, Tensor Tensor)> Of(MaskedAutoencoder model) => model.named_children().SelectMany(child => Named(child.Item2));

    /// <summary>Loads an encoder's weights. A decoder or a classifier in the file is passed over.</summary>
    /// <param name="model">The encoder, on any device.</param>
    /// <param name="path">A safetensors file.</param>
    /// <exception cref="InvalidDataException">The file is damaged, or a tensor is missing, unknown or of another shape; the message names each and both shapes.</exception>
    public static void Load(VisionTransformer model, string path) =>
        Load(Of(model), SafeTensors.Open(path), name => s_besideEncoder.Any(name.StartsWith));

    /// <summary>Loads an autoencoder's weights.</summary>
    /// <param name="model">The autoencoder, on any device.</param>
    /// <param name="path">A safetensors file.</param>
    /// <exception cref="InvalidDataException">The file is damaged, or a tensor is missing, unknown or of another shape; the message names each and both shapes.</exception>
    public static void Load(MaskedAutoencoder model, string path) => Load(Of(model), SafeTensors.Open(path), _ => false);

    internal static void Load(IEnumerable<(string Name, Tensor Tensor)> model, SafeTensorsFile file, Func<string, bool> ignore, string prefix = "")
    {
        Dictionary<string, Tensor> wanted = model.ToDictionary(t => prefix + t.Name, t => t.Tensor);
        Dictionary<string, string> faults = [];
        foreach ((string name, Tensor tensor) in wanted)
        {
            if (!file.Contains(name))
            {
                if (tensor.requires_grad) faults[name] = "is missing";   // a fixed position table can be made again
            }
            else if (!file.Shape(name).SequenceEqual(tensor.shape))
                faults[name] = $"has the shape [{string.Join(", ", file.Shape(name))}], expected [{string.Join(", ", tensor.shape)}]";
        }
        foreach (string name in file.Names.Where(n => n.StartsWith(prefix) && !wanted.ContainsKey(n) && !ignore(n))) faults[name] = "is not part of this model";
        if (faults.Count > 0)
            throw new InvalidDataException($"{file.Path} does not fit the model: " + string.Join("; ", faults.Select(f => $"'{f.Key}' {f.Value}")) + ".");

        using var noGrad = no_grad();
        foreach ((string name, Tensor tensor) in wanted.Where(w => file.Contains(w.Key)))
        {
            using Tensor stored = file.Read(name);
            tensor.copy_(stored);
        }
    }

    private static IEnumerable<(string Name, Tensor Tensor)> Named(nn.Module module) =>
        module.named_parameters().Select(p => (p.Item1, (Tensor)p.Item2)).Concat(module.named_buffers().Select(b => (b.Item1, b.Item2)));
}
