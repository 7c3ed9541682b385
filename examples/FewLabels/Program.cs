using System.CommandLine;
using Examples;
using FewLabels;

// How far a few labels go, with pretraining and without: FewLabels --data DIR [--encoder FILE] [--out DIR].
var data = new Option<DirectoryInfo>("--data")
{
    Description = "A folder of labelled images: class folders, Tiny ImageNet or CUB-200-2011 as distributed.", Required = true,
};
var encoder = new Option<FileInfo?>("--encoder")
{
    Description = "A pretrained encoder, as PretrainOnYourPhotos writes it. Default: one is pretrained first, on the images without their labels.",
};
var output = new Option<DirectoryInfo>("--out")
{
    Description = "Where results go.", DefaultValueFactory = _ => new DirectoryInfo("runs/few-labels"),
};
var shares = new Option<double[]>("--percent")
{
    Description = "How many percent of the labels are used.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [1, 10, 100],
};
var epochs = new Option<int>("--epochs") { Description = "Passes of the pretraining over the images.", DefaultValueFactory = _ => 50 };
var steps = new Option<int>("--steps") { Description = "Steps of each fine-tuning, 64 images each.", DefaultValueFactory = _ => 800 };
var imageSize = new Option<int>("--image-size")
{
    Description = "Height and width that images are brought to, a multiple of 4.", DefaultValueFactory = _ => 32,
};
var seed = new Option<int>("--seed") { Description = "Seed of everything random.", DefaultValueFactory = _ => 1 };
var gpu = new Option<int?>("--gpu") { Description = "Number of the CUDA device to run on. Default: the CPU." };
shares.Validators.Add(result =>
{
    if (result.GetValueOrDefault<double[]>() is { } given && given.Any(percent => !(percent is > 0 and <= 100)))
        result.AddError("--percent must be more than 0 and at most 100.");
});
steps.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int>() < 1) result.AddError("--steps must be at least 1.");
});

var command = new RootCommand("Fine-tunes with few labels, from a pretrained encoder and from scratch, and compares.")
{
    data, encoder, output, shares, epochs, steps, imageSize, seed, gpu,
};
command.SetAction((parsed, cancellation) =>
{
    var settings = new FewLabelsSettings(
        parsed.GetValue(data)!, parsed.GetValue(encoder), parsed.GetValue(output)!, [.. parsed.GetValue(shares)!.Order()], parsed.GetValue(epochs),
        parsed.GetValue(steps), parsed.GetValue(imageSize), parsed.GetValue(seed), parsed.GetValue(gpu));
    return Outcome.Of(() => FewLabelsRun.Run(settings, cancellation));
});
return await Outcome.Of(command, args);
