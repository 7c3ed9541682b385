namespace Smae.MLNet;

/// <summary>A batch of images and what the model made of them.</summary>
internal sealed class ScoredBatch(ImageBatch images, IImageModel model)
{
    private float[] _scores = [];

    public ImageBatch Images => images;

    /// <summary>Runs the model on the images, which must be decoded; a broken one's numbers are NaN, ML.NET's missing value.</summary>
    public void Score()
    {
        int length = images.Count * model.OutputLength;
        if (_scores.Length < length)
            _scores = new float[length];
        model.Run(images.Pixels, images.Count, _scores.AsSpan(0, length));
        for (int i = 0; i < images.Count; i++)
        {
            if (images.Problem(i) is not null)
                _scores.AsSpan(i * model.OutputLength, model.OutputLength).Fill(float.NaN);
        }
    }

    /// <summary>The numbers of image number <paramref name="index"/>.</summary>
    public ReadOnlySpan<float> Scores(int index) => _scores.AsSpan(index * model.OutputLength, model.OutputLength);
}
