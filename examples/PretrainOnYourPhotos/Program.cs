using System.CommandLine;
using Examples;
using PretrainOnYourPhotos;

// Pretrains an encoder on a folder of photos without labels: PretrainOnYourPhotos --photos DIR [--hours 2] [--out DIR].
// The same command goes on with a stopped run. Several processes, on one machine or many: mpirun.mpich -n 4 dotnet PretrainOnYourPhotos.dll --photos DIR.
var photos = new Option<DirectoryInfo>("--photos") { Description = "A folder of photos, at any depth. Labels are not needed.", Required = true };
var output = new Option<DirectoryInfo>("--out")
{
    Description = "Where results and checkpoints go.", DefaultValueFactory = _ => new DirectoryInfo("runs/photos"),
};
var hours = new Option<double>("--hours")
{
    Description = "Time for training, such as 2 or 0.5: as many passes over the photos as end in it.", DefaultValueFactory = _ => 1,
};
var epochs = new Option<int?>("--epochs") { Description = "Passes over the photos at most. Default: by their number, 20 to 2000." };
var goOn = new Option<bool>("--go-on") { Description = "Goes on from an earlier run in --out whose settings or photos were others." };
var imageSize = new Option<int>("--image-size")
{
    Description = "Height and width that photos are brought to, a multiple of 16. Larger sees more and takes longer.", DefaultValueFactory = _ => 64,
};
var checkpointMinutes = new Option<double>("--checkpoint-minutes") { Description = "Minutes between two checkpoints.", DefaultValueFactory = _ => 5 };
var seed = new Option<int>("--seed") { Description = "Seed of everything random.", DefaultValueFactory = _ => 1 };
var gpu = new Option<int?>("--gpu") { Description = "Number of the CUDA device to run on. Default: the CPU." };

var command = new RootCommand("Pretrains an image encoder on your photos, without labels.")
{
    photos, output, hours, epochs, imageSize, goOn, checkpointMinutes, seed, gpu,
};
command.SetAction((parsed, cancellation) =>
{
    var settings = new PretrainSettings(
        parsed.GetValue(photos)!, parsed.GetValue(output)!, TimeSpan.FromHours(parsed.GetValue(hours)), parsed.GetValue(epochs),
        parsed.GetValue(imageSize), parsed.GetValue(goOn), TimeSpan.FromMinutes(parsed.GetValue(checkpointMinutes)), parsed.GetValue(seed), parsed.GetValue(gpu));
    return Outcome.Of(() => PretrainRun.Run(settings, cancellation), "Stopped: the same command goes on from here.");
});
return await Outcome.Of(command, args);
