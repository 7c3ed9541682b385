using Smae.Training;

namespace Smae.MLNet;

/// <summary>A model that makes numbers of images. Any number of threads may run it at the same time.</summary>
internal interface IImageModel
{
    /// <summary>What is done to an image first.</summary>
    ImagePreprocessing Preprocessing { get; }

    /// <summary>Numbers that the model gives for an image.</summary>
    int OutputLength { get; }

    /// <summary>Runs the model on a batch.</summary>
    /// <param name="images">The images one after the other, each <c>[height, width, channels]</c> of <see cref="Preprocessing"/>.</param>
    /// <param name="count">How many.</param>
    /// <param name="outputs">Takes what the model gives, <c>[count, OutputLength]</c>.</param>
    void Run(ReadOnlySpan<byte> images, int count, Span<float> outputs);
}
