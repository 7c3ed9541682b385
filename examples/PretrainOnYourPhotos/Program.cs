using System.CommandLine;
using Examples;
using PretrainOnYourPhotos;

// Pretrains an encoder on a folder of photos without labels: PretrainOnYourPhotos --photos DIR [--out DIR].
// The same command goes on with a stopped run.
var photos = new Option<DirectoryInfo>("--photos") { Description = "A folder of photos, at any depth. Labels are not needed.", Required = true };
var output = new Option<DirectoryInfo>("--out")
{
    Description = "Where results and checkpoints go.", DefaultValueFactory = _ => new DirectoryInfo("runs/photos"),
};
var epochs = new Option<int>("--epochs") { Description = "Passes over the photos.", DefaultValueFactory = _ => 100 };
var imageSize = new Option<int>("--image-size")
{
    Description = "Height and width that photos are brought to, a multiple of 8. Larger sees more and takes longer.", DefaultValueFactory = _ => 64,
};
var checkpointMinutes = new Option<double>("--checkpoint-minutes") { Description = "Minutes between two checkpoints.", DefaultValueFactory = _ => 5 };
var seed = new Option<int>("--seed") { Description = "Seed of everything random.", DefaultValueFactory = _ => 1 };
var gpu = new Option<int?>("--gpu") { Description = "Number of the CUDA device to run on. Default: the CPU." };

var command = new RootCommand("Pretrains an image encoder on your photos, without labels.")
{
    photos, output, epochs, imageSize, checkpointMinutes, seed, gpu,
};
command.SetAction((parsed, cancellation) =>
{
    var settings = new PretrainSettings(
        parsed.GetValue(photos)!, parsed.GetValue(output)!, parsed.GetValue(epochs), parsed.GetValue(imageSize),
        TimeSpan.FromMinutes(parsed.GetValue(checkpointMinutes)), parsed.GetValue(seed), parsed.GetValue(gpu));
    return Outcome.Of(() => PretrainRun.Run(settings, cancellation), "Stopped: the same command goes on from here.");
});
return await command.Parse(args).InvokeAsync();
