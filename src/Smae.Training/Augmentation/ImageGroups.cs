using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Does to each image of a batch an operation of its own, each operation once for all images that have it.</summary>
internal static class ImageGroups
{
    /// <summary>The operation that leaves an image as it is.</summary>
    public const int None = -1;

    /// <param name="images">The batch; left as it is, and given back if nothing is done.</param>
    /// <param name="operations">Each image's operation.</param>
    /// <param name="parameters">Each image's numbers, the same count for each.</param>
    /// <param name="apply">Does an operation to images, with their numbers <c>[images, count]</c>; gives images of the same shape.</param>
    public static Tensor Apply(Tensor images, int[] operations, float[] parameters, Func<int, Tensor, Tensor, Tensor> apply)
    {
        int[] order = [.. Enumerable.Range(0, operations.Length).Where(i => operations[i] != None).OrderBy(i => operations[i])];
        if (order.Length == 0) return images;
        int count = parameters.Length / operations.Length;
        Tensor places = tensor(Array.ConvertAll(order, i => (long)i), device: images.device);
        Tensor numbers = tensor(parameters, [operations.Length, count], device: images.device).index_select(0, places);
        Tensor? result = null;
        for (int from = 0, to; from < order.Length; from = to)
        {
            int operation = operations[order[from]];
            for (to = from + 1; to < order.Length && operations[order[to]] == operation;) to++;
            if (to - from == operations.Length) return apply(operation, images, numbers);
            using DisposeScope scope = NewDisposeScope();
            Tensor group = places.narrow(0, from, to - from);
            result ??= images.clone().MoveToOuterDisposeScope();
            result.index_copy_(0, group, apply(operation, images.index_select(0, group), numbers.narrow(0, from, to - from)));
        }
        return result!;
    }
}
