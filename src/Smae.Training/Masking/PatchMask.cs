namespace Smae.Training;

/// <summary>Which patches of each image of a batch a masked autoencoder sees. Every image shows the same number of patches.</summary>
public sealed class PatchMask
{
    private PatchMask(Tensor order, long visible, Tensor restore) => (Order, Visible, Restore) = (order, order.narrow(1, 0, visible), restore);

    /// <summary>The visible patches, in the order the encoder sees them: <c>[batch, visible]</c>, int64.</summary>
    public Tensor Visible { get; }

    /// <summary>Where each patch stands once the visible are put before the hidden, the inverse of that shuffle: <c>[batch, patches]</c>, int64.</summary>
    public Tensor Restore { get; }

    /// <summary>All patches, the visible before the hidden: <c>[batch, patches]</c>, int64.</summary>
    internal Tensor Order { get; }

    /// <summary>Patches in an image.</summary>
    public long PatchCount => Restore.size(1);

    /// <summary>Images in the batch.</summary>
    public long BatchSize => Restore.size(0);

    /// <summary>Hidden patches in each image.</summary>
    public long HiddenCount => PatchCount - Visible.size(1);

    /// <summary>1 where a patch is hidden, 0 where it is visible: <c>[batch, patches]</c>, float32.</summary>
    public Tensor Hidden() => Restore.IsAtLeast(Visible.size(1)).to_type(ScalarType.Float32);

    /// <summary>The hidden patches, in the order that they have after the visible ones: <c>[batch, hidden]</c>, int64.</summary>
    internal Tensor HiddenIndices() => Order.narrow(1, Visible.size(1), HiddenCount);

    internal void CheckSize(long images, long patches)
    {
        if ((BatchSize, PatchCount) != (images, patches))
            throw new ArgumentException($"The mask is for {BatchSize} images of {PatchCount} patches: expected {images} of {patches}.", "mask");
    }

    /// <summary>The mask whose visible patches are those of least noise, in that order, as in facebookresearch/mae.</summary>
    /// <param name="noise">A number for each patch, <c>[batch, patches]</c>.</param>
    /// <param name="maskRatio">The share of patches to hide, in (0, 1); <c>(int)(patches * (1 - maskRatio))</c> stay visible.</param>
    /// <exception cref="ArgumentException">The noise has another shape, or no number.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The ratio is outside (0, 1), or leaves no patch visible or none hidden.</exception>
    public static PatchMask FromNoise(Tensor noise, double maskRatio)
    {
        ArgumentNullException.ThrowIfNull(noise);
        if (noise.dim() != 2 || noise.numel() == 0)
            throw new ArgumentException(
                $"The noise has the shape [{string.Join(", ", noise.shape)}]: expected [batch, patches], neither of them 0.", nameof(noise));
        int visible = Masking.VisibleCount((int)noise.size(1), maskRatio);
        Tensor shuffle = noise.argsort(1);
        return new PatchMask(shuffle, visible, shuffle.argsort(1));
    }

    /// <summary>A mask from flags: visible patches keep their order.</summary>
    /// <param name="hidden">Whether a patch is hidden, image by image; the same number of them in every image.</param>
    /// <param name="patchCount">Patches in an image.</param>
    /// <exception cref="ArgumentException">The flags are not those of whole images; or images do not hide the same number, or one hides none or all.</exception>
    public static PatchMask FromFlags(ReadOnlySpan<bool> hidden, int patchCount)
    {
        if (patchCount < 2)
            throw new ArgumentException($"An image has {patchCount} patches: expected at least 2, one to show and one to hide.", nameof(patchCount));
        if (hidden.Length == 0 || hidden.Length % patchCount != 0)
            throw new ArgumentException(
                $"There are {hidden.Length} flags: expected {patchCount} for each image, one for each patch, and at least one image.", nameof(hidden));
        int batch = hidden.Length / patchCount, visible = hidden[..patchCount].Count(false);
        var order = new long[hidden.Length];
        var restore = new long[hidden.Length];
        for (int b = 0; b < batch; b++)
        {
            ReadOnlySpan<bool> flags = hidden.Slice(b * patchCount, patchCount);
            if (flags.Count(false) != visible || visible == 0 || visible == patchCount)
                throw new ArgumentException(
                    $"Image {b} shows {flags.Count(false)} of {patchCount} patches: expected {visible} as image 0, neither none nor all.", nameof(hidden));
            int nextVisible = 0, nextHidden = visible;
            for (int i = 0; i < patchCount; i++)
            {
                int place = flags[i] ? nextHidden++ : nextVisible++;
                order[b * patchCount + place] = i;
                restore[b * patchCount + i] = place;
            }
        }
        return new PatchMask(tensor(order, [batch, patchCount]), visible, tensor(restore, [batch, patchCount]));
    }

    /// <summary>The mask of some of the images, as views of this one.</summary>
    internal PatchMask Narrow(long first, long count) =>
        new(Order.narrow(0, first, count), Visible.size(1), Restore.narrow(0, first, count));

    /// <summary>This mask on a device.</summary>
    public PatchMask To(Device device) => new(Order.Upload(device), Visible.size(1), Restore.Upload(device));
}
