using System.Security.Cryptography;
using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>A SHA-256 of tensors: their names, types, shapes and numbers.</summary>
internal static class TensorHash
{
    /// <param name="tensors">Names and tensors, of any device.</param>
    /// <param name="text">Text that is hashed with them. Default none.</param>
    public static string Of(IEnumerable<(string Name, Tensor Tensor)> tensors, string text = "")
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(text));
        foreach ((string name, Tensor tensor) in tensors)
        {
            using DisposeScope scope = NewDisposeScope();
            hash.AppendData(Encoding.UTF8.GetBytes($"|{name}:{tensor.dtype}[{string.Join(',', tensor.shape)}]"));
            hash.AppendData(tensor.detach().cpu().contiguous().bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
